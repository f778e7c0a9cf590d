"""The audit table refuses UPDATE and DELETE, from whatever code or shell they come."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION events_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit entries are never changed or deleted' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE ON events_auditentry
    FOR EACH ROW EXECUTE FUNCTION events_audit_is_append_only();
"""
BACKWARD = """
DROP TRIGGER audit_is_append_only ON events_auditentry;
DROP FUNCTION events_audit_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
