-- Asks for one address again and again, or, with a file of paths as argument, for each of them in turn, and ends with one
-- line of JSON. `manage.py bench` starts it:
--
--     wrk -t1 -c64 -d3s -s deploy/load/http.lua -H 'Accept-Encoding: gzip' http://127.0.0.1:8000/ -- [paths.txt]

local requests = {}
local turn = 0

local function in_turn()
    turn = turn % #requests + 1
    return requests[turn]
end

function init(args)
    if #args == 0 then
        return -- wrk prepares the one request itself, which costs the client least.
    end
    for path in io.lines(args[1]) do
        requests[#requests + 1] = wrk.format("GET", path)
    end
    request = in_turn
end

function done(summary, latency, _)
    local failed = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
    io.write(string.format(
        '{"requests": %d, "seconds": %.6f, "bytes": %d, "refused": %d, "failed": %d, "cpu": %.6f, '
            .. '"p50_ms": %.4f, "p99_ms": %.4f}\n',
        summary.requests, summary.duration / 1e6, summary.bytes, summary.errors.status, failed, os.clock(),
        latency:percentile(50) / 1000, latency:percentile(99) / 1000
    ))
end
