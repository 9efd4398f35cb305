-- What macros mean, on every engine: a line is a condition that must hold. A heading `-- name` says whose it is; each
-- macro of macros/cross_db has some. The reports are New York's here.

-- add_days
{{ add_days("cast('2024-02-28' as date)", 2) }} = cast('2024-03-01' as date)
{{ add_days("cast('2027-01-01' as date)", -1) }} = cast('2026-12-31' as date)

-- add_hours
{{ add_hours("cast('2026-02-28 23:00:00.000001' as " ~ type_utc_timestamp() ~ ")", 24) }} = cast('2026-03-01 23:00:00.000001' as {{ type_utc_timestamp() }})

-- days_between
{{ days_between("cast('2024-02-28' as date)", "cast('2024-03-01' as date)") }} = 2
{{ days_between("cast('2027-01-01' as date)", "cast('2026-12-31' as date)") }} = -1

-- day_literal
cast('2026-03-01' as date) >= {{ day_literal('2026-03-01') }} and cast('2026-02-28 23:59:59.999999' as {{ type_utc_timestamp() }}) < {{ day_literal('2026-03-01') }}
not cast('2026-02-28' as date) >= {{ day_literal('2026-03-01') }} and cast('2026-03-01 00:00:00' as {{ type_utc_timestamp() }}) >= {{ day_literal('2026-03-01') }}

-- sorted_list
(select {{ sorted_list('word', "','") }} from (select 'b' as word union all select 'é' as word union all select 'B' as word) as words) = 'B,b,é'

-- dash_compact_dates
{{ dash_compact_dates("'model-20251211'") }} = 'model-2025-12-11'
{{ dash_compact_dates("'a-20251211-b-20240229:c'") }} = 'a-2025-12-11-b-2024-02-29:c'
{{ dash_compact_dates("'model-20251311'") }} = 'model-20251311'
{{ dash_compact_dates("'модель-20251211'") }} = 'модель-2025-12-11'

-- in_reporting_timezone: on this day the clocks go from 02:00 to 03:00
{{ in_reporting_timezone("cast('2026-03-08 06:59:59' as " ~ type_utc_timestamp() ~ ")") }} = cast('2026-03-08 01:59:59' as {{ type_utc_timestamp() }})
{{ in_reporting_timezone("cast('2026-03-08 07:00:00' as " ~ type_utc_timestamp() ~ ")") }} = cast('2026-03-08 03:00:00' as {{ type_utc_timestamp() }})

-- from_reporting_timezone
{{ from_reporting_timezone("cast('2026-03-08 01:59:59' as " ~ type_utc_timestamp() ~ ")") }} = cast('2026-03-08 06:59:59' as {{ type_utc_timestamp() }})
{{ from_reporting_timezone("cast('2026-03-08 03:00:00' as " ~ type_utc_timestamp() ~ ")") }} = cast('2026-03-08 07:00:00' as {{ type_utc_timestamp() }})

-- json_count
{{ json_count("'{\"annotated_pages\": 7, \"pages\" : 12}'", 'pages') }} = 12
{{ json_count("'{\"annotated_pages\": 7, \"pages\" : 12}'", 'annotated_pages') }} = 7
{{ json_count("'{\"pages\":0}'", 'pages') }} = 0
{{ json_count("'{\"pages\":9000000000}'", 'pages') }} = 9000000000
{{ json_count("'{\"pages\":0}'", 'messages') }} is null
{{ json_count("'{}'", 'messages') }} is null
{{ json_count("nullif('a', 'a')", 'messages') }} is null

-- json_text
{{ json_text("'Café 東京 🦜 a/b'") }} = '"Café 東京 🦜 a/b"'
{{ text_length(json_text("'a\"b'")) }} = 6 and {{ json_text("'a\"b'") }} like '"a%"b"'
{{ text_length(json_text(line_break())) }} = 4 and {{ json_text(line_break()) }} like '"%n"'
{{ json_text("nullif('a', 'a')") }} is null

-- key_hash: of the bytes `é|` and `1|2026-01-02`
{{ key_hash(["'é'", "nullif('a', 'a')"]) }} = '2f204cd52da504f9cb4104f9e821d9c9'
{{ key_hash(['1', "cast('2026-01-02' as date)"]) }} = 'afd06bced9d588a2f76ae14fb5f29843'

-- lower_case
{{ lower_case("'ÉTABLI Дом'") }} = 'établi дом'

-- row_before, row_after
{{ row_before('1') }} over (order by 1) is null and {{ row_after('1') }} over (order by 1) is null

-- text_length, text_part, text_end: by letters
{{ text_length("'modèle🦜'") }} = 7
{{ text_part("'modèle'", 5) }} = 'le' and {{ text_part("'modèle'", 3, 2) }} = 'dè'
{{ text_end("'modèle'", 3) }} = 'èle' and {{ text_end("'é'", 3) }} = 'é'

-- text_word
{{ text_word("'0.5 é 12'", 1) }} = '0.5' and {{ text_word("'0.5 é 12'", 2) }} = 'é' and {{ text_word("'0.5 é 12'", 3) }} = '12'
nullif({{ text_word("'0.5 é 12'", 4) }}, '') is null and {{ text_word("'0.5'", 1) }} = '0.5'
nullif({{ text_word("nullif('a', 'a')", 1) }}, '') is null

-- line_break
{{ text_length(line_break()) }} = 1 and {{ line_break() }} < ' '

-- milliseconds_between
{{ milliseconds_between("cast('2026-02-28 23:59:59.999' as " ~ type_utc_timestamp() ~ ")", "cast('2026-03-01 00:00:01.000900' as " ~ type_utc_timestamp() ~ ")") }} = 1001
{{ milliseconds_between("cast('2026-03-01 00:00:00.000001' as " ~ type_utc_timestamp() ~ ")", "cast('2026-03-01 00:00:00.001000' as " ~ type_utc_timestamp() ~ ")") }} = 0

-- regex_matches
{{ regex_matches("'gpt-4o-2024'", "'^gpt-[0-9]o?-(2024|2025)$'") }}
{{ regex_matches("'xgpt'", "'gpt'") }}
not {{ regex_matches("'GPT'", "'gpt'") }}
{{ regex_matches("'modèle'", "'^mod.le$'") }}
{{ regex_matches("'{12}'", "'^[{][0-9]{2}[}]$'") }}
not {{ regex_matches(dbt.concat(["'a'", line_break()]), "'^a$'") }}
{{ regex_matches("'a$'", "'^a[$]$'") }} and {{ regex_matches("'a'", "'^([a-z]$|[0-9]$)'") }}

-- json_value: a text's words, anything else as json; null where there is none
{{ json_value("'{\"a.b\": \"x y\", \"n\": 12, \"t\": true, \"z\": null, \"d\": 1.5e-05}'", 'a.b') }} = 'x y'
{{ json_value("'{\"n\": 12, \"m\": \"12\"}'", 'n') }} = '12' and {{ json_value("'{\"n\": 12, \"m\": \"12\"}'", 'm') }} = '12'
{{ json_value("'{\"z\": null}'", 'z') }} is null and {{ json_value("'{\"z\": null}'", 'y') }} is null
{{ json_value("'{\"o\": {\"i\": \"東京\", \"n\": 3}}'", ['o', 'i']) }} = '東京' and {{ json_value("'{\"o\": {\"n\": 3}}'", ['o', 'n']) }} = '3'
{{ json_value("'{\"o\": 5}'", ['o', 'n']) }} is null and {{ json_value("nullif('a', 'a')", 'o') }} is null
{{ json_value("'💸 no json'", 'o') }} is null and {{ json_value("''", 'o') }} is null
{{ first_json_value("'{\"b\": \"2\", \"c\": \"3\"}'", ['a', 'b', 'c']) }} = '2'

-- number_or_null
{{ count_or_null("'12'") }} = 12 and {{ count_or_null("'-3'") }} = -3 and {{ count_or_null("'999999999999999999'") }} = 999999999999999999
{{ count_or_null("'12.7'") }} is null and {{ count_or_null("'x'") }} is null and {{ count_or_null("''") }} is null and {{ count_or_null("'1e3'") }} is null
{{ count_or_null("'1000000000000000000'") }} is null and {{ count_or_null("nullif('a', 'a')") }} is null
{{ money_or_null("'0.000012'") }} = cast('0.000012' as {{ type_money() }}) and {{ money_or_null("'1.5e-05'") }} = cast('0.000015' as {{ type_money() }})
{{ money_or_null("'x'") }} is null and {{ money_or_null("''") }} is null and {{ money_or_null("nullif('a', 'a')") }} is null

-- json_counts
{{ json_counts("'{\"input\": 7, \"input_cached_tokens\":\"12\", \"output\":5}'", ['input', 'input_cached_tokens', 'cached']) }} = 19
{{ json_counts("'{\"input\":\"many\"}'", ['input']) }} = 0 and {{ json_counts("nullif('a', 'a')", ['input']) }} = 0

-- text_between
{{ text_between("'[\"feature:search\",\"tenant:東京\"]'", '"tenant:', '"') }} = '東京'
coalesce({{ text_between("'a:b'", 'tenant:', ',') }}, '') = '' and {{ text_between("'tenant:acme'", 'tenant:', ',') }} = 'acme'
coalesce({{ text_between("nullif('a', 'a')", 'tenant:', ',') }}, '') = ''

-- text: compared by its bytes, counted by its letters
'B' < 'a' and 'z' < 'é'
{{ text_length("'东京é'") }} = 3 and {{ text_part("'东京é'", 2, 1) }} = '京' and {{ text_end("'东京é'", 2) }} = '京é'
{{ dbt.position("'东'", "'东京é'") }} = 1 and {{ dbt.position("'é'", "'东京é'") }} > 1 and {{ dbt.position("'x'", "'东京é'") }} = 0
{{ dbt.concat(["'a'", "nullif('a', 'a')"]) }} is null

-- money: exact, halves away from zero
{{ money("cast(9999999999 as " ~ dbt.type_bigint() ~ ") * cast('0.000000000001' as " ~ type_unit_price() ~ ")") }} = cast('0.009999999999' as {{ type_money() }})
{{ rounded_unit_price("cast('0.0000000000005' as " ~ type_decimal(18, 13) ~ ")") }} = cast('0.000000000001' as {{ type_unit_price() }})
{{ unit_price("'0.15'", "'1M tokens'") }} = cast('0.00000015' as {{ type_unit_price() }})
{{ unit_price("'0.111'", "'1 hour'") }} = cast('0.000030833333' as {{ type_unit_price() }})
{{ derived_usd("cast('0.1234567895' as " ~ type_money() ~ ")") }} = cast('0.12345679' as {{ type_money() }})
{{ derived_usd("cast('-0.1234567895' as " ~ type_money() ~ ")") }} = cast('-0.12345679' as {{ type_money() }})
{{ ratio('1', '0') }} is null and {{ ratio('1', '4') }} = 0.25
greatest(0, -1) = 0 and least(1, 2) = 1

-- days
{{ weekday_number("cast('2026-10-05' as date)") }} = 0 and {{ weekday_number("cast('2026-10-04' as date)") }} = 6
{{ is_weekday_in("cast('2026-10-05' as date)", "'1000000'") }} and not {{ is_weekday_in("cast('2026-10-04' as date)", "'1000000'") }}
{{ minute_of_day("'23:59'") }} = 1439 and {{ minute_of_day("'9:00'") }} is null
