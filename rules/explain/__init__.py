"""Why a rule fires on a device, or does not, in facts and in sentences. Changes nothing."""
