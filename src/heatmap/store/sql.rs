//! The statements of this folder, as they stand in `sql/queries/heatmap`.

use crate::postgres::sql::statements;

statements! {
    "heatmap":
    APPEND_RUNS = "append_runs";
    COUNT_GROWTH = "count_growth";
    DELETE_COUNTS = "delete_counts";
    DELETE_FINE = "delete_fine";
    DELETE_FINE_COUNTS = "delete_fine_counts";
    DELETE_GROWTH = "delete_growth";
    DELETE_RUNS = "delete_runs";
    DELETE_UNKEPT = "delete_unkept";
    DELETE_UNKEPT_BOUNDS = "delete_unkept_bounds";
    DELETE_UNKEPT_COUNTS = "delete_unkept_counts";
    DELETE_UNKEPT_GROWTH = "delete_unkept_growth";
    DROP_SHARD_PARTITION = "drop_shard_partition";
    DROP_UNKEPT_PARTITIONS = "drop_unkept_partitions";
    ENSURE_CANONICAL_PARTITION = "ensure_canonical_partition";
    ENSURE_SHARD_PARTITIONS = "ensure_shard_partitions";
    FORGET_ROWS = "forget_rows";
    INSERT_COUNTS = "insert_counts";
    INSERT_SPREAD = "insert_spread";
    LOCK_VIDEOS = "lock_videos";
    MEASURE_RUNS = "measure_runs";
    PEEK_RUNS = "peek_runs";
    PEEK_SECONDS = "peek_seconds";
    PEEK_VIDEO_RUNS = "peek_video_runs";
    PEEK_WHOLES = "peek_wholes";
    PREPARE_COMPACTION = "prepare_compaction";
    PREPARE_FOLD = "prepare_fold";
    PREPARE_NIGHTLY = "prepare_nightly";
    PREPARE_READ = "prepare_read";
    RAISE_BOUNDS = "raise_bounds";
    READ_CANONICAL_DAYS = "read_canonical_days";
    READ_CLOSED_EPOCHS = "read_closed_epochs";
    READ_COUNTED_EPOCHS = "read_counted_epochs";
    READ_COUNTS = "read_counts";
    READ_EPOCH = "read_epoch";
    READ_EPOCH_REGIONS = "read_epoch_regions";
    READ_FINE_DAYS = "read_fine_days";
    READ_LEVEL = "read_level";
    READ_REGIONS = "read_regions";
    READ_RUNS = "read_runs";
    READ_SHARD_PARTITIONS = "read_shard_partitions";
    READ_SPREAD = "read_spread";
    READ_SPREAD_VIDEOS = "read_spread_videos";
    READ_STRIP = "read_strip";
    READ_UNKEPT_VIDEOS = "read_unkept_videos";
    READ_UNSPREAD_VIDEOS = "read_unspread_videos";
    READ_VIDEO_BOUNDS = "read_video_bounds";
    READ_VIDEO_DAYS = "read_video_days";
    READ_VIDEOS = "read_videos";
    READ_WHOLES = "read_wholes";
    TAKE_BLOCK_RUNS = "take_block_runs";
    TAKE_RUNS = "take_runs";
    TAKE_SECONDS = "take_seconds";
    TAKE_WHOLES = "take_wholes";
    TRY_LOCK_COMPACTION = "try_lock_compaction";
    TRY_LOCK_VIDEO = "try_lock_video";
    UPSERT_WHOLE = "upsert_whole";
    WRITE_FIVES = "write_fives";
    WRITE_RUNS = "write_runs";
    WRITE_SECONDS = "write_seconds";
    WRITE_SIXTIES = "write_sixties";
    WRITE_WHOLES = "write_wholes";
}
