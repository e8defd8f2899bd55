//! The statements of this folder, as they stand in `sql/queries/heatmap`.

use crate::postgres::sql::statements;

statements! {
    "heatmap":
    APPEND_RUNS = "append_runs";
    COMPACT_SECONDS = "compact_seconds";
    COMPACT_WHOLE = "compact_whole";
    COUNT_GROWTH = "count_growth";
    DELETE_FINE = "delete_fine";
    DELETE_UNKEPT = "delete_unkept";
    DELETE_UNKEPT_BOUNDS = "delete_unkept_bounds";
    DELETE_UNKEPT_COUNTS = "delete_unkept_counts";
    DROP_SHARD_PARTITION = "drop_shard_partition";
    DROP_UNKEPT_PARTITIONS = "drop_unkept_partitions";
    ENSURE_CANONICAL_PARTITION = "ensure_canonical_partition";
    ENSURE_SHARD_PARTITIONS = "ensure_shard_partitions";
    FORGET_ROWS = "forget_rows";
    INSERT_COUNTS = "insert_counts";
    LOCK_COUNTS = "lock_counts";
    PREPARE_COMPACTION = "prepare_compaction";
    PREPARE_FOLD = "prepare_fold";
    PREPARE_NIGHTLY = "prepare_nightly";
    PREPARE_READ = "prepare_read";
    READ_CLOSED_EPOCHS = "read_closed_epochs";
    READ_COUNTED_EPOCHS = "read_counted_epochs";
    READ_COUNTS = "read_counts";
    READ_FINE_VIDEOS = "read_fine_videos";
    READ_REGIONS = "read_regions";
    READ_SHARD_PARTITIONS = "read_shard_partitions";
    READ_STRIP = "read_strip";
    READ_UNCOUNTED_VIDEOS = "read_uncounted_videos";
    READ_UNKEPT_VIDEOS = "read_unkept_videos";
    READ_VIDEOS = "read_videos";
    READ_VIDEO_BOUNDS = "read_video_bounds";
    READ_VIDEO_DAYS = "read_video_days";
    TRY_LOCK_COMPACTION = "try_lock_compaction";
    UPSERT_WHOLE = "upsert_whole";
}
