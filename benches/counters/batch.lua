-- A hundred likes a request, of 50,000 members on 100,000 objects.
local format, random = string.format, math.random

function init()
    math.randomseed(os.time())
    wrk.method = "POST"
    wrk.headers["Content-Type"] = "application/json"
end

function request()
    local counts = {}
    for i = 1, 100 do
        counts[i] = format('{"member_id":"m%d","object_type":"video","object_id":"o%d","kind":"like"}',
            random(1, 50000), random(1, 100000))
    end
    return wrk.format(nil, "/v1/counts", nil, "[" .. table.concat(counts, ",") .. "]")
end

function response(status)
    if status ~= 200 then
        print("answered " .. status)
    end
end
