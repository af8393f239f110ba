-- GET of ten thousand keys in turn. An argument is the query, as in "?consistency=stale".
local requests = {}
local at = 0

function init(args)
  local query = args[1] or ""
  for i = 1, 10000 do
    requests[i] = wrk.format("GET", "/v1/kv/key" .. i .. query)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end
