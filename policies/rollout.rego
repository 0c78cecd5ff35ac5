# What a plan says of a change of many targets, and what the organization asks of one. The four families below judge it.
package qinfra.rollout

# A plan with targets changes them in batches.
planned if {
	is_object(input.plan)
	not is_null(object.get(input.plan, "targets", null))
}

targets := input.plan.targets if is_number(input.plan.targets)

environment := lower(input.plan.environment) if is_string(input.plan.environment)

production if environment in {"production", "prod"}

# Where nobody says what the targets are for, they may be anything.
production if {
	planned
	not environment
}

setting(name, otherwise) := object.get(input.org.settings, ["rollouts", name], otherwise) if is_object(input.org.settings)

setting(_, otherwise) := otherwise if not has_settings

has_settings if is_object(input.org.settings)

numbers := {"targets", "batchTargets", "canaryTargets", "rollbackCriteria"}

# A number that is none would make the rules that read it silent.
malformed if {
	planned
	some name in numbers
	value := object.get(input.plan, name, 0)
	not whole(value)
}

whole(value) if {
	is_number(value)
	value >= 0
}
