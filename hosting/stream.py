"""The site's side of the stream to a runner: one connection a runner and process, many attachments on it.

Used by the web process (plain ASGI and Channels) and by Celery jobs; it imports nothing of Django. The interface:

    pool = RunnerPool(process="web-1")
    link = await pool.link("unix:/run/…/r1.sock")       # connects or reuses; raises RunnerUnavailable
    link.runner, link.boot                               # from its Welcome
    attachment = link.open(deployment=…, epoch=…, owner=…, method=…, params=…, revision=…, end=EndRule.CANCEL, …)
    attachment.exchange                                  # "<runner>.<boot>.<random>", unless given
    attachment = link.attach(log, owner=…, after=0, mode=Mode.WIRE)
    event = await attachment.next()                      # a whole Event; raises DetachedError(reason, detail)
    attachment.close(gone=False)
    value = await link.ask(control.Place(placement))     # typed value, or raises Refused(reason, detail)
    await pool.close()
"""
