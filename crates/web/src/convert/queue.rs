use domain::QueueId;
use domain::routing::WrapUp;
use engine::Settings;
use engine::settings::Queue;
use proto::inbox::v1 as pb;

/// What everybody may know of a queue: its name, and how its conversations end.
pub(crate) fn known_queue(settings: &Settings, queue: &Queue) -> pb::QueueSummary {
    let rules = settings.rules.of(&queue.id);
    let wrap_up = match rules.wrap_up {
        WrapUp::Off => "off",
        WrapUp::Timed(_) => "timed",
        WrapUp::Fixed(_) => "fixed",
        WrapUp::Manual(_) => "manual",
    };
    pb::QueueSummary {
        id: queue.id.to_string(),
        display_name: queue.display_name.clone(),
        dispositions: rules.dispositions.clone(),
        disposition_required: rules.disposition_needed,
        wrap_up: wrap_up.to_owned(),
        ..pb::QueueSummary::default()
    }
}

/// A queue as it is configured now, whenever it was changed.
pub(super) fn queue_now(settings: &Settings, id: &QueueId) -> pb::QueueSummary {
    let found = settings.queues.iter().find(|queue| queue.id == *id);
    found.map_or_else(
        || pb::QueueSummary {
            id: id.to_string(),
            removed: true,
            ..pb::QueueSummary::default()
        },
        |queue| known_queue(settings, queue),
    )
}
