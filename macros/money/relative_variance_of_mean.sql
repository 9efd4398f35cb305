{#- Variance of a sample mean divided by the mean's square, from additive sums: count, sum and sum of squares.
    By the delta method it is the variance of the mean's logarithm. Rounding can bring it below 0: then it is 0. -#}
{% macro relative_variance_of_mean(total, sum_of_squares, n) -%}
    {%- set float = type_ratio() -%}
    {%- set second_moment = ratio(n ~ ' * cast(' ~ sum_of_squares ~ ' as ' ~ float ~ ')', 'power(cast(' ~ total ~ ' as ' ~ float ~ '), 2)') -%}
    {{ ratio('greatest(' ~ second_moment ~ ' - 1, 0)', n ~ ' - 1') }}
{%- endmacro %}
