-- The number under one video, or under MANY at once as a feed shows them.
local many, posts = tonumber(os.getenv("MANY") or 1), tonumber(os.getenv("POSTS"))

function init()
    math.randomseed(os.time())
end

function request()
    if many == 1 then
        return wrk.format("GET", "/v1/videos/p" .. math.random(1, posts) .. "/views")
    end
    local ids = {}
    for i = 1, many do
        ids[i] = "video_id=p" .. math.random(1, posts)
    end
    return wrk.format("GET", "/v1/views?" .. table.concat(ids, "&"))
end
