-- Runs once, when the data directory is made. :"DBNAME" is psql's name of the database it is in.
ALTER DATABASE :"DBNAME" SET timezone = 'UTC';
-- No statement of this application needs longer; migrations lift the limit for themselves.
ALTER DATABASE :"DBNAME" SET statement_timeout = '30s';
ALTER DATABASE :"DBNAME" SET idle_in_transaction_session_timeout = '60s';
