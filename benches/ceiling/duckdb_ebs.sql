-- The EBS findings in DuckDB's SQL: a table macro `findings(n)`. It reads the table `price`, which the runner loads from
-- rulesets/common/ebs-prices.csv. The rules are those of the ceiling with two liberties that cost nothing: sizes and ages
-- are clamped to their limits rather than drawn from a truncated law, and an old snapshot that falls on a row without one
-- becomes an oversized volume. DuckDB reads range() on one thread, so a second one gains little here.

CREATE TEMP TABLE volume_type AS
SELECT * FROM (VALUES
    ('gp2', 1, 16384, 80, 1.536), ('gp3', 1, 65536, 100, 1.646), ('io1', 4, 16384, 200, 1.400),
    ('io2', 4, 65536, 300, 1.575), ('st1', 125, 16384, 800, 1.225), ('sc1', 125, 16384, 1000, 1.264),
    ('standard', 1, 1024, 50, 1.089)
) AS t (volume_type, min_size, max_size, median_size, sigma);

CREATE TEMP MACRO normal() AS sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random());
CREATE TEMP MACRO hex13() AS printf('%013x', (random() * 4503599627370495)::BIGINT);

CREATE TEMP MACRO findings(n) AS TABLE
WITH draws AS (
    SELECT
        random() AS u_region, random() AS u_type, random() AS u_anomaly, random() AS u_factor,
        random() AS u_cost,
        floor(random() * 5)::INT AS u_kind,
        random() < 0.3 AS unnamed, random() >= 0.4 AS has_snapshot, random() < 1.0 / 3 AS snapshot_unnamed,
        random() < 0.17 AS underutilized, random() < 0.7 AS round_size,
        1 + floor(random() * 9)::INT AS u_size, normal() AS z_size, normal() AS z_age,
        hex13() AS volume_hex, hex13() AS snapshot_hex,
        ['app', 'db', 'web', 'cache', 'log'][1 + floor(random() * 5)::INT] AS role,
        ['prod', 'dev', 'test', 'staging'][1 + floor(random() * 4)::INT] AS stage,
        1 + floor(random() * 100)::INT AS number
    FROM range(n)
), kinds AS (
    SELECT *,
        CASE WHEN u_region < 0.40 THEN 'us-east-1' WHEN u_region < 0.65 THEN 'us-west-1'
             WHEN u_region < 0.85 THEN 'eu-west-1' ELSE 'ap-southeast-1' END AS region,
        CASE WHEN u_type < 0.40 THEN 'gp2' WHEN u_type < 0.60 THEN 'gp3' WHEN u_type < 0.70 THEN 'io1'
             WHEN u_type < 0.80 THEN 'io2' WHEN u_type < 0.90 THEN 'st1' WHEN u_type < 0.95 THEN 'sc1'
             ELSE 'standard' END AS planned_type,
        CASE WHEN u_anomaly >= 0.10 THEN NULL
             WHEN u_kind = 1 AND NOT has_snapshot THEN 'oversized_volume'
             ELSE ['oversized_volume', 'old_snapshot', 'high_cost_low_size', 'mismatched_type',
                   'very_old_volume'][1 + u_kind] END AS anomaly
    FROM draws
), sizes AS (
    SELECT k.*, l.min_size,
        CASE WHEN anomaly = 'mismatched_type'
             THEN CASE WHEN planned_type IN ('gp2', 'gp3') THEN ['io1', 'io2'] ELSE ['gp2', 'gp3'] END[
                  1 + floor(u_factor * 2)::INT]
             ELSE planned_type END AS type,
        CASE WHEN round_size AND min_size < 125 THEN [8, 10, 20, 30, 50, 100, 200, 500, 1000][u_size]
             WHEN round_size THEN [125, 200, 250, 500, 1000, 1500, 2000, 4000, 8000][u_size]
             ELSE round(least(greatest(median_size * exp(sigma * z_size), min_size), max_size))::INT END AS planned_size
    FROM kinds k JOIN volume_type l ON k.planned_type = l.volume_type
), final AS (
    SELECT s.*, usd_per_gib_month AS price,
        least(greatest(CASE anomaly
            WHEN 'oversized_volume' THEN floor(planned_size * (5 + 5 * u_factor))::INT
            WHEN 'high_cost_low_size' THEN 1 + floor(u_factor * 10)::INT
            ELSE planned_size END, m.min_size), m.max_size) AS size,
        CASE WHEN NOT has_snapshot THEN NULL
             WHEN anomaly = 'old_snapshot' THEN 365 + floor(u_factor * 636)::INT
             WHEN anomaly = 'very_old_volume' THEN 1000 + floor(u_factor * 1001)::INT
             ELSE round(least(greatest(60 * exp(1.3 * z_age), 1), 3650))::INT END AS age
    FROM sizes s
    JOIN volume_type m ON s.type = m.volume_type
    JOIN price p ON s.region = p.region AND s.type = p.volume_type
)
SELECT
    region AS "Region",
    'vol-9999' || volume_hex AS "Volume ID",
    CASE WHEN anomaly = 'very_old_volume' THEN 'old-volume-' || number
         WHEN NOT unnamed THEN role || '-' || stage || '-' || number END AS "Volume Name",
    type AS "Volume Type",
    size::BIGINT AS "Volume Size",
    (size * price * CASE WHEN anomaly = 'high_cost_low_size' THEN 10 + 10 * u_cost ELSE 1 END)::DECIMAL(18, 2)
        AS "Monthly Storage Cost",
    CASE WHEN has_snapshot THEN 'snap-9999' || snapshot_hex END AS "Snapshot ID",
    CASE WHEN has_snapshot AND NOT snapshot_unnamed
         THEN role || '-' || stage || '-' || (DATE '2026-01-01' - age) END AS "Snapshot Name",
    age::BIGINT AS "Snapshot Age",
    underutilized AS "Underutilized",
    anomaly AS "Anomaly"
FROM final;
