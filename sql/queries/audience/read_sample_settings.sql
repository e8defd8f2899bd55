-- read_sample_settings
SELECT size, kept_from FROM sample_settings
