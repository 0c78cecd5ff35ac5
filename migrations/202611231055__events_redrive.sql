-- A dead letter whose attempts are below zero is to be handled once more: the organization that it is of may ask for that,
-- and whoever follows the subscription does it.
grant update (attempts) on events.dead_letters to qinfra_app;
create index dead_letters_asked on events.dead_letters (subscription, position) where attempts < 0;
