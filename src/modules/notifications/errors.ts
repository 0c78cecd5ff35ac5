import { errorType } from "../../platform/errors.ts";

export const ChannelNotFound = errorType("notification-channel-not-found", 404, "There is no such channel here");
export const ChannelExists = errorType("notification-channel-exists", 409, "There is a channel of that name already");
export const ChannelLimit = errorType("notification-channel-limit", 409, "The organization has as many channels as it may have");
export const ChannelDisabled = errorType("notification-channel-disabled", 409, "The channel is disabled");
export const ChannelInvalid = errorType("notification-channel-invalid", 400, "The channel is not as its kind needs it");
export const RuleNotFound = errorType("notification-rule-not-found", 404, "There is no such rule here");
export const RuleExists = errorType("notification-rule-exists", 409, "There is a rule of that name already");
export const RuleLimit = errorType("notification-rule-limit", 409, "The organization has as many rules as it may have");
export const RuleInvalid = errorType("notification-rule-invalid", 400, "The rule cannot be used");
export const EventNotAllowed = errorType("notification-event-not-allowed", 403, "Your role does not show you these events");
export const DeliveryNotFound = errorType("notification-delivery-not-found", 404, "There is no such delivery here");
