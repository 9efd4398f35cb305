def wrong_cases(engine, folder, dbt):
    return 0, []
