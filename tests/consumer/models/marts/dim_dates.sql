-- A calendar of the shop's own, of the same name as the package's.

select '2026-10-01' as first_day_of_sale
