-- One like a request, each of another member, on one object: the hottest a counter can be.
local n = 0

function init()
    math.randomseed(os.time())
    prefix = math.random(1, 2 ^ 30)
    wrk.method = "POST"
    wrk.headers["Content-Type"] = "application/json"
end

function request()
    n = n + 1
    local body = string.format('{"member_id":"%d-%d","object_type":"video","object_id":"hot","kind":"like"}', prefix, n)
    return wrk.format(nil, "/v1/counts", nil, body)
end

function response(status)
    if status ~= 200 then
        print("answered " .. status)
    end
end
