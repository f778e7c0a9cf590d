"""Every change of a version is told on the channel `registry_changed`, in the order of commits.

Web processes listen and forget what they hold (registry/api/cache.py). PostgreSQL sends one notice a transaction, and
sends it when the transaction commits: a reader that hears of a change finds it.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION registry_tell_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('registry_changed', '');
    RETURN NULL;
END
$$;
CREATE TRIGGER registry_tell_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON registry_serverversion
    FOR EACH STATEMENT EXECUTE FUNCTION registry_tell_change();
"""
BACKWARD = """
DROP TRIGGER registry_tell_change ON registry_serverversion;
DROP FUNCTION registry_tell_change();
"""


class Migration(migrations.Migration):
    dependencies = [("registry", "0001_servers")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
