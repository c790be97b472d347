CREATE TRIGGER exemption_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON exemption_event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
