"""Counts by the hour of the calls that are recorded already, as `hosting.usage.durations.step_of` counts those to come."""

from django.db import migrations

FORWARD = """
INSERT INTO hosting_callhour (deployment_id, hour, step, calls, answered, errors, cold_starts)
SELECT deployment_id, date_trunc('hour', at, 'UTC'),
       CASE WHEN us < 16 THEN us ELSE shift * 8 + (us >> shift) END,
       count(*), count(*) FILTER (WHERE status IN ('ok', 'tool_error')),
       count(*) FILTER (WHERE status IN ('error', 'tool_error')), count(*) FILTER (WHERE was_cold)
FROM hosting_callrecord,
     LATERAL (SELECT least(greatest(microseconds, 0), 1125899906842624) AS us) AS took,
     LATERAL (SELECT 61 - position('1' in us::bit(64)::text) AS shift) AS length
WHERE method = 'tools/call'
GROUP BY 1, 2, 3
"""


class Migration(migrations.Migration):
    dependencies = [("hosting", "0030_calls_and_tasks_by_the_hour")]

    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]
