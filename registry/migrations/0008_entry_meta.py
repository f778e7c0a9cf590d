"""What an entry of the API says of a version, beside its document, is kept as text: a page of a hundred entries would
format three hundred times to say what seldom changes, which costs more than to find and join them.

The function calls itself immutable, though `to_char` is not for every format: for this one it is.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION registry_entry_meta(
    status text, message text, status_changed_at timestamptz, published_at timestamptz, updated_at timestamptz,
    is_latest boolean
) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    form CONSTANT text := 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"';
BEGIN
    RETURN concat(
        ',"_meta":{"io.modelcontextprotocol.registry/official":{"status":"', status,
        '","statusChangedAt":"', replace(to_char(status_changed_at AT TIME ZONE 'UTC', form), '.000000Z', 'Z'),
        CASE WHEN message <> '' THEN '","statusMessage":' || to_json(message)::text || ',"' ELSE '","' END,
        'publishedAt":"', replace(to_char(published_at AT TIME ZONE 'UTC', form), '.000000Z', 'Z'),
        '","updatedAt":"', replace(to_char(updated_at AT TIME ZONE 'UTC', form), '.000000Z', 'Z'),
        CASE WHEN is_latest THEN '","isLatest":true}}}' ELSE '","isLatest":false}}}' END
    );
END
$$;
ALTER TABLE registry_serverversion ADD COLUMN meta text NOT NULL GENERATED ALWAYS AS (
    registry_entry_meta(status, status_message, status_changed_at, published_at, updated_at, is_latest)
) STORED;
"""
BACKWARD = """
ALTER TABLE registry_serverversion DROP COLUMN meta;
DROP FUNCTION registry_entry_meta;
"""


class Migration(migrations.Migration):
    dependencies = [("registry", "0007_readmes")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
