-- What every session of ours wants. :is_local: until the end of the transaction (which is all that a pooler allows) or
-- of the session. Settings that this server does not have are left out.
SELECT set_config(name, value, :'is_local')
  FROM (VALUES
    ('statement_timeout', :'statement_timeout'),
    ('lock_timeout', :'lock_timeout'),
    ('client_min_messages', 'warning'),
    -- A client that was killed or is cut off must not hold its locks for hours.
    ('idle_in_transaction_session_timeout', '60s'),
    ('client_connection_check_interval', '2s'),
    ('tcp_keepalives_idle', '30'),
    ('tcp_keepalives_interval', '10'),
    ('tcp_keepalives_count', '3')
  ) AS wanted (name, value)
  JOIN pg_settings USING (name) \g /dev/null
