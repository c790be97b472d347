CREATE TRIGGER exemption_event_keeps_rows BEFORE DELETE ON exemption_event
BEGIN SELECT RAISE(ABORT, 'exemption_event is append-only'); END;
CREATE TRIGGER exemption_event_keeps_values BEFORE UPDATE ON exemption_event
BEGIN SELECT RAISE(ABORT, 'exemption_event is append-only'); END;
