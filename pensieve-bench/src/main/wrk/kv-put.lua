-- PUT of 256 bytes to ten thousand keys in turn, by each thread from another one on.
local requests = {}
local at = 0
local threads = 0

function setup(thread)
  thread:set("first", threads * 2500)
  threads = threads + 1
end

function init(args)
  local value = string.rep("v", 256)
  for i = 1, 10000 do
    requests[i] = wrk.format("PUT", "/v1/kv/key" .. i, nil, value)
  end
  at = first
end

function request()
  at = at % #requests + 1
  return requests[at]
end
