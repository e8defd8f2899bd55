-- Views over HTTP, BATCH of them a request (1 without), of :viewers people on :posts posts that are viewed as Zipf has it.
local format, random, batch = string.format, math.random, tonumber(os.getenv("BATCH") or 1)
local posts, viewers = tonumber(os.getenv("POSTS")), tonumber(os.getenv("VIEWERS"))

function init()
    math.randomseed(os.time())
    wrk.method = "POST"
    wrk.headers["Content-Type"] = "application/json"
end

-- The inverse of the distribution function of a density that falls as 1/x does.
local function post()
    return math.floor(posts ^ random())
end

function request()
    local views = {}
    for i = 1, batch do
        views[i] = format('{"video_id":"p%d","viewer_id":"v%d"}', post(), random(1, viewers))
    end
    return wrk.format(nil, "/v1/views", nil, batch == 1 and views[1] or "[" .. table.concat(views, ",") .. "]")
end

function response(status)
    if status ~= 202 then
        print("answered " .. status)
    end
end
