-- One question after the other, each about another object or member: WHAT is its path.
local what, objects = os.getenv("WHAT"), tonumber(os.getenv("OBJECTS"))

function init()
    math.randomseed(os.time())
end

function request()
    local object, member = math.random(1, objects), math.random(1, objects * 50)
    if what:find("^/v1/members") then
        object = member
    end
    return wrk.format("GET", string.format(what, object, member))
end
