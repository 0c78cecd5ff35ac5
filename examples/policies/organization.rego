# An organization's own policy: changes only in working hours, and nothing of another region.
# The package ends with the organization's id, as `qinfra whoami` shows it.
package qinfra.organizations.org_01jd0000000000000000000000

import rego.v1

request := {"allow": count(reasons) == 0, "reasons": sort(reasons)}

reasons contains "outside-working-hours" if {
	input.operation.effect in {"change", "destructive"}
	[hour, _, _] := time.clock(time.parse_rfc3339_ns(input.time))
	not hour in numbers.range(7, 18)
}

reasons contains "other-region" if {
	region := input.input.region
	not startswith(region, "eu-")
}

# Deleting an image takes an administrator's approval.
plan := {"decision": "approve", "reasons": ["deletion"], "approvers": [{"role": "admin", "count": 1}], "excluded": [input.actor.id]} if {
	input.operation.id == "images.delete"
} else := {"decision": "allow", "reasons": [], "approvers": [], "excluded": []}
