"""A claimed name's row is never deleted, its folded form never changed, and a release never taken back."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION accounts_name_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'the name % can be released but not deleted', OLD.folded
            USING ERRCODE = 'integrity_constraint_violation';
    ELSIF NEW.folded <> OLD.folded THEN
        RAISE EXCEPTION 'the name % can be released but not changed', OLD.folded
            USING ERRCODE = 'integrity_constraint_violation';
    ELSIF OLD.released_at IS NOT NULL AND NEW.released_at IS DISTINCT FROM OLD.released_at THEN
        RAISE EXCEPTION 'the name % was released and is not given out again', OLD.folded
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER name_is_kept BEFORE UPDATE OR DELETE ON accounts_name
    FOR EACH ROW EXECUTE FUNCTION accounts_name_is_kept();
"""
BACKWARD = """
DROP TRIGGER name_is_kept ON accounts_name;
DROP FUNCTION accounts_name_is_kept();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
