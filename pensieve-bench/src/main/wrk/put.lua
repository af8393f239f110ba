-- PUT of a hundred characters to a thousand keys in turn.
local requests = {}
local at = 0

function init(args)
  local headers = { ["Content-Type"] = "application/json" }
  for i = 1, 1000 do
    local body = '{"key":"key' .. i .. '","val":"' .. string.rep("v", 100) .. '"}'
    requests[i] = wrk.format("POST", "/put", headers, body)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end
