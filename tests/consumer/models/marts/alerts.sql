-- What the shop calls an alert.

select trace as request from {{ ref('chat_log') }} where outcome = 'failed'
