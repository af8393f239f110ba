-- GET of a thousand keys in turn.
local requests = {}
local at = 0

function init(args)
  for i = 1, 1000 do
    requests[i] = wrk.format("GET", "/get/key" .. i)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end
