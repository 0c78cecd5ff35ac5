# What both decisions share: the words of the input, and whether the input can be judged at all.
package qinfra.common

effects := {"pure", "read", "change", "destructive"}

changing := {"change", "destructive"}

kinds := {"user", "api-key", "system", "anonymous"}

# Every member that a rule below reads in order to refuse. Were one of them absent, its rule would be silent,
# so an input without it is refused as a whole.
default well_formed := false

well_formed if {
	is_string(input.operation.id)
	input.operation.id != ""
	is_string(input.operation.permission)
	input.operation.permission != ""
	input.operation.effect in effects
	input.actor.kind in kinds
	is_boolean(input.actor.ai)
	is_boolean(input.actor.platform)
	is_array(input.actor.permissions)
	is_array(input.actor.roles)
	settings_well_formed
	approvers_well_formed
}

default approvers_well_formed := false

# Nobody to approve is not nothing to approve.
approvers_well_formed if {
	named := object.get(input.operation, "approvers", [{"role": "admin", "count": 1}])
	is_array(named)
	count(named) > 0
	every one in named {
		is_string(one.role)
		one.count >= 1
	}
}

# No organization (a sign-in, for example) means no settings.
default settings_well_formed := false

settings_well_formed if not input.org

settings_well_formed if is_null(input.org)

settings_well_formed if {
	is_object(input.org.settings)
	is_boolean(object.get(input.org.settings, "readOnly", false))
	is_array(object.get(input.org.settings, "requireApproval", []))
	is_object(object.get(input.org.settings, "secondFactor", {}))
	is_array(object.get(input.org.settings, ["secondFactor", "roles"], []))
	rollouts := object.get(input.org.settings, "rollouts", {})
	is_object(rollouts)
	every limit in rollouts {
		is_number(limit)
	}
}
