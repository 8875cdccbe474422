-- Counters by hour, line, queue and operator: pairs of number and count, see
-- domain::metrics. What belongs to no line, queue or operator has '' and 0 there.
create table metric (
  hour integer not null,
  line text not null,
  queue text not null,
  operator integer not null,
  counts blob not null,
  primary key (hour, line, queue, operator)
) without rowid;

-- The channel of a line, kept for lines that are gone.
create table metric_line (line text primary key, channel text not null) without rowid;

-- Up to when an operator's time is counted, and since when they do what they do.
create table metric_operator (
  operator integer primary key,
  counted_at integer not null,
  since integer not null
);

-- Counting begins after this event.
insert into meta (key, value)
select 'metrics_from', coalesce(max(cursor), 0) from event;
