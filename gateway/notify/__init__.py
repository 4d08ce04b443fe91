"""Tells customers what happened: who hears what and when (router), never lost and never twice (outbox), by channels."""
