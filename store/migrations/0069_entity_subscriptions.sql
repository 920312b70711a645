-- Who is told of entities of NGSI-LD when they change (api/standards/ngsi_ld/subscriptions), and how that goes.

CREATE TABLE ngsi_subscription (
    id text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 300),
    principal_id integer NOT NULL REFERENCES principal (id),
    towns text [],
    document jsonb NOT NULL,
    context text NOT NULL,
    is_active boolean NOT NULL,
    expires_at timestamptz,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    follows_from timestamptz NOT NULL,
    stopped text NOT NULL DEFAULT '',
    times_sent bigint NOT NULL DEFAULT 0,
    times_failed bigint NOT NULL DEFAULT 0,
    last_notified_at timestamptz,
    last_success_at timestamptz,
    last_failure_at timestamptz,
    failures integer NOT NULL DEFAULT 0,
    retry_at timestamptz,
    failure text NOT NULL DEFAULT ''
);
CREATE INDEX ngsi_subscription_expires ON ngsi_subscription (expires_at) WHERE expires_at IS NOT NULL;
COMMENT ON TABLE ngsi_subscription IS 'programs that are told of NGSI-LD entities when they change';
COMMENT ON COLUMN ngsi_subscription.principal_id IS 'who made it: nothing is told that they may not read now';
COMMENT ON COLUMN ngsi_subscription.towns IS 'names of municipalities that it may tell of at most; NULL: all, also those to come';
COMMENT ON COLUMN ngsi_subscription.document IS 'as the standard writes it, without what has a column, and without secrets';
COMMENT ON COLUMN ngsi_subscription.context IS 'address of our JSON-LD context, as whoever made it reached us';
COMMENT ON COLUMN ngsi_subscription.follows_from IS 'changes after this instant are still to be told, and some of those before may be again';
COMMENT ON COLUMN ngsi_subscription.stopped IS 'why nothing is told although it is active: who made it may not any more';
COMMENT ON COLUMN ngsi_subscription.failures IS 'of its last notifications, one after the other';

CREATE TABLE ngsi_secret (
    subscription_id text PRIMARY KEY REFERENCES ngsi_subscription (id) ON DELETE CASCADE,
    uri text NOT NULL,
    headers jsonb NOT NULL
);
-- Which devices changed is asked again and again. A registry is indexed in a moment.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX device_updated ON device (updated_at);

COMMENT ON TABLE ngsi_secret IS 'headers that receivers want, by name, such as their token; told to nobody else';
COMMENT ON COLUMN ngsi_secret.uri IS 'whom they were told for: shown there only, whatever the document says by then';
