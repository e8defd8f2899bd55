-- empty_trending
DELETE FROM trending
