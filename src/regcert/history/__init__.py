"""The history: all that correlation ever read, as files, and one way of counting it again on one machine or on many.

What the live state is made of is exported as Parquet, and regrouped by one expression that DuckDB and Spark both understand.
What is left behind it is small, and judged by the very code that judges the live state. So both engines, and the live state,
must come to the same, and where they do not, something is wrong.

The libraries are an extra, `regcert[history]`, and are imported only by what needs them: a host without them serves as before.
"""
