# Policy on the request: may this actor ask for this operation, on what it names?
# Decided before anything is read for the caller. Denies by default.
package qinfra.request

import data.qinfra.common

# METADATA
# title: Decision on a request
# entrypoint: true
result := {"allow": allow, "reasons": sort([reason | some reason in refusals])}

default allow := false

allow if count(refusals) == 0

refusals contains "malformed-input" if not common.well_formed

refusals contains "sign-in-required" if {
	not public
	not known
}

refusals contains "permission-missing" if {
	known
	not permitted
}

refusals contains "other-organization" if {
	known
	input.org.id != input.actor.orgId
}

refusals contains "platform-only" if {
	for_platform
	not input.actor.platform == true
}

refusals contains "ai-platform-permission" if {
	for_platform
	not input.actor.ai == false
}

# An agent never widens what agents or people may do.
refusals contains "ai-identity-permission" if {
	input.operation.permission in identity_permissions
	input.operation.effect in common.changing
	not input.actor.ai == false
}

# A program decides on no approval, whoever's it is.
refusals contains "person-required" if {
	input.operation.permission == "approvals:decide"
	not a_person
}

a_person if {
	input.actor.kind == "user"
	input.actor.ai == false
}

# Who must have a second factor can do nothing without one but get one, and lets no application act for them either. A
# key was made by somebody who had it.
refusals contains "second-factor-required" if {
	signed_in
	not for_whoever_is_signed_in
	some role in input.org.settings.secondFactor.roles
	role in input.actor.roles
	not input.actor.secondFactor == true
}

refusals contains "organization-read-only" if {
	input.operation.effect in common.changing
	input.org.settings.readOnly == true
	not writable_while_read_only
}

known if input.actor.kind in {"user", "api-key", "system"}

public if input.operation.permission == "public"

signed_in if input.actor.kind == "user"

# An application acts by a sign-in of the person; only a key is somebody of its own who acts for another.
signed_in if {
	input.actor.kind == "api-key"
	not input.actor.actsFor
}

for_whoever_is_signed_in if input.operation.permission in {"public", "self"}

for_platform if startswith(input.operation.permission, "platform:")

permitted if public

permitted if input.operation.permission == "self"

permitted if {
	some granted in {input.operation.permission, every_of_its_area}
	granted in input.actor.permissions
	input.org.id == input.actor.orgId
}

# `images:*` grants `images:read`.
every_of_its_area := concat(":", [split(input.operation.permission, ":")[0], "*"])

identity_permissions := {
	"organizations:manage",
	"organizations:write",
	"members:write",
	"users:write",
	"roles:write",
	"api-keys:write",
}

# Signing in and out, one's own password, and the setting itself: otherwise nobody could lift it.
writable_while_read_only if public

writable_while_read_only if input.operation.permission in {"self", "organizations:manage", "organizations:write"}
