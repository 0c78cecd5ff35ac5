-- Lets PgBouncer look up the secrets of the platform's two roles, and of no others. Run once in the platform's database
-- by a superuser, with the password that userlist.txt has: psql -v password=... -f auth.sql
create role pgbouncer login password :'password';
create schema pgbouncer authorization pgbouncer;
create function pgbouncer.secret_of(wanted text, out name text, out secret text) returns setof record
  language sql stable security definer set search_path = pg_catalog, pg_temp
  as $$ select rolname::text, rolpassword from pg_authid where rolname = wanted and rolname in ('qinfra_app', 'qinfra_system') and rolcanlogin $$;
revoke execute on function pgbouncer.secret_of from public;
grant execute on function pgbouncer.secret_of to pgbouncer;
