-- Questions to a report, for DuckDB (https://duckdb.org). Start it in the folder of reports:
--
--   cd .dagster_home/reports && duckdb < queries.sql
--
-- Bytes are bytes, times are UTC. datapackage.json in each report says what every column means.

-- 1. Where are my images, by persona?
SELECT coalesce(value, '(' || "group" || ')') AS persona,
       images,
       r2_images AS in_r2,
       base64_images AS only_in_the_database,
       round(bytes / 1e6, 1) AS mb_in_r2
FROM 'latest/storage_stats.parquet'
WHERE breakdown = 'persona'
ORDER BY images DESC;

-- 2. What is still only in the database, and since when?
SELECT persona_id,
       count(*) AS images,
       min(created_at) AS oldest,
       max(created_at) AS newest,
       round(sum(base64_bytes) / 1e6, 1) AS mb_of_text
FROM 'latest/images.parquet'
WHERE row_class = 'base64'
GROUP BY persona_id
ORDER BY mb_of_text DESC;

-- 3. What was set aside, and why?
SELECT reason, count(*) AS images, min(image_id) AS for_example
FROM 'latest/images.parquet'
WHERE state = 'quarantined'
GROUP BY reason
ORDER BY images DESC;

-- 4. Which pictures are stored more than once, to the byte, and what does that waste?
SELECT sha256,
       count(DISTINCT object_key) AS objects,
       any_value(bytes) AS bytes_each,
       (count(DISTINCT object_key) - 1) * any_value(bytes) AS bytes_wasted,
       list(DISTINCT persona_id ORDER BY persona_id) AS personas
FROM 'latest/images.parquet'
WHERE sha256 IS NOT NULL
GROUP BY sha256
HAVING count(DISTINCT object_key) > 1
ORDER BY bytes_wasted DESC
LIMIT 20;

-- 5. How fast did the images move, hour by hour?
SELECT date_trunc('hour', published_at) AS hour, count(*) AS images, round(sum(bytes) / 1e6, 1) AS mb
FROM 'latest/images.parquet'
WHERE state IN ('published', 'reclaimed')
GROUP BY hour
ORDER BY hour;

-- 6. Which images are large, and how large are they usually?
SELECT format,
       count(*) AS images,
       quantile_cont(bytes, 0.5) AS median_bytes,
       max(bytes) AS largest_bytes,
       arg_max(object_key, bytes) AS largest
FROM 'latest/images.parquet'
WHERE bytes IS NOT NULL
GROUP BY format
ORDER BY images DESC;

-- 7. How did it change from snapshot to snapshot?
SELECT generated_at,
       r2_images + mixed_images AS in_r2,
       base64_images,
       (r2_images + mixed_images) - lag(r2_images + mixed_images) OVER (ORDER BY generated_at) AS moved_since,
       health_score,
       round(monthly_cost_usd, 2) AS usd_a_month
FROM 'latest/history.parquet'
ORDER BY generated_at;

-- 8. What would it cost a month if everything were in R2, or nothing?
SELECT round(monthly_cost_usd, 4) AS now,
       round(monthly_cost_all_in_r2_usd, 4) AS all_in_r2,
       round(monthly_cost_all_base64_usd, 4) AS all_in_the_database
FROM 'latest/history.parquet'
ORDER BY generated_at DESC
LIMIT 1;
