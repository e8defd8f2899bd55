-- read_thinned
SELECT thinned_to FROM retention
