-- Sends the bodies of a file, a line each, in turn; every request has an idempotency key of its own.
-- Arguments: the file, and the number of lines that a body is made of is the file's business.
local bodies = {}
local at = 0

function init(arguments)
    for line in io.lines(arguments[1]) do
        bodies[#bodies + 1] = line
    end
    keyed = arguments[2] == "keyed"
    wrk.method = "POST"
    wrk.headers["Content-Type"] = "application/json"
    math.randomseed(tonumber(tostring(wrk.thread):match("0x(%x+)"), 16) % 2147483647 + os.time())
end

local function key()
    local random = math.random
    return string.format("%08x-%04x-4%03x-8%03x-%06x%06x", random(0, 4294967295), random(0, 65535), random(0, 4095),
        random(0, 4095), random(0, 16777215), random(0, 16777215))
end

function request()
    at = at % #bodies + 1
    if keyed then
        wrk.headers["Idempotency-Key"] = key()
    end
    return wrk.format(nil, nil, nil, bodies[at])
end
