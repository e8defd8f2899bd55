-- read_encryption
SELECT
    inet_server_addr() IS NULL AS on_socket,
    coalesce(inet_server_addr() <<= '127.0.0.0/8' OR inet_server_addr() = '::1', true) AS on_this_machine,
    ssl,
    version,
    cipher
FROM pg_stat_ssl
WHERE pid = pg_backend_pid()
