//go:build js && wasm

package main

import (
	"context"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
)

func (b *bridge) iq(ctx context.Context, c *client.Client, r request) (func(*writer), error) {
	return result(c.IQ(ctx, r.string("to"), r.string("type"), r.string("xml")))
}

func (b *bridge) send(ctx context.Context, c *client.Client, r request) (func(*writer), error) {
	return nil, c.Send(ctx, r.string("to"), r.string("type"), r.string("xml"))
}

func (b *bridge) parseURI(_ context.Context, _ *client.Client, r request) (func(*writer), error) {
	t, err := client.ParseURI(r.string("uri"))
	if err != nil {
		return nil, err
	}
	return func(w *writer) {
		w.object(func() {
			w.text("service", t.Service)
			w.text("node", t.Node)
		})
	}, nil
}

func (b *bridge) publish(ctx context.Context, c *client.Client, r request) (func(*writer), error) {
	return result(c.Publish(ctx, r.target(), r.string("item"), r.string("xml")))
}

func (b *bridge) retract(ctx context.Context, c *client.Client, r request) (func(*writer), error) {
	return nil, c.Retract(ctx, r.target(), r.string("item"))
}

func (b *bridge) items(ctx context.Context, c *client.Client, r request) (func(*writer), error) {
	items, err := c.Items(ctx, r.target(), r.int("max"), r.strings("items")...)
	if err != nil {
		return nil, err
	}
	return func(w *writer) {
		w.array(func() {
			for _, i := range items {
				w.object(func() {
					w.text("id", i.ID)
					w.text("publisher", i.Publisher)
					w.key("occurredAt")
					w.time(i.OccurredAt)
					w.text("namespace", i.Namespace)
					w.text("xml", i.XML)
					writeEntry(w, i.Entry)
				})
			}
		})
	}, nil
}

// writeEntry writes the member entry, if there is one.
func writeEntry(w *writer, e *pam.AtomEntry) {
	if e == nil {
		return
	}
	w.key("entry")
	w.object(func() {
		w.text("id", e.ID)
		w.text("title", e.Title)
		w.text("summary", e.Summary)
		w.text("content", e.Content)
		w.text("link", e.Link)
		w.text("image", e.Image)
		w.text("author", e.Author)
		w.key("published")
		w.time(e.Published)
		w.key("updated")
		w.time(e.Updated)
	})
}

func (b *bridge) createNode(ctx context.Context, c *client.Client, r request) (func(*writer), error) {
	return result(c.CreateNode(ctx, r.target(), r.form("form")))
}

func (b *bridge) deleteNode(ctx context.Context, c *client.Client, r request) (func(*writer), error) {
	return nil, c.DeleteNode(ctx, r.target(), r.string("redirect"))
}

func (b *bridge) nodes(ctx context.Context, c *client.Client, r request) (func(*writer), error) {
	nodes, next, err := c.Nodes(ctx, r.string("service"), r.int("max"), r.string("after"))
	if err != nil {
		return nil, err
	}
	return func(w *writer) {
		w.object(func() {
			w.key("nodes")
			w.array(func() {
				for _, n := range nodes {
					writeNode(w, n)
				}
			})
			w.text("next", next)
		})
	}, nil
}

func (b *bridge) nodeInfo(ctx context.Context, c *client.Client, r request) (func(*writer), error) {
	info, err := c.NodeInfo(ctx, r.target())
	if err != nil {
		return nil, err
	}
	return func(w *writer) { writeNode(w, info) }, nil
}

func writeNode(w *writer, n pam.NodeInfo) {
	w.object(func() {
		w.text("service", n.Service)
		w.text("node", n.Node)
		w.text("title", n.Title)
		w.text("description", n.Description)
		w.text("kind", string(n.Kind))
		w.text("payloadType", n.PayloadType)
		w.text("accessModel", n.AccessModel)
		w.key("created")
		w.time(n.Created)
		w.key("subscribers")
		w.int(int64(n.Subscribers))
	})
}

func (b *bridge) getOptions(ctx context.Context, c *client.Client, r request) (func(*writer), error) {
	form, err := c.SubscriptionOptions(ctx, r.target())
	if err != nil {
		return nil, err
	}
	return func(w *writer) { writeForm(w, form) }, nil
}

func (b *bridge) setOptions(ctx context.Context, c *client.Client, r request) (func(*writer), error) {
	return nil, c.SetSubscriptionOptions(ctx, r.target(), r.form("form"))
}

func writeForm(w *writer, form pam.Form) {
	w.array(func() {
		for _, f := range form {
			w.object(func() {
				w.text("name", f.Name)
				w.text("type", string(f.Type))
				w.text("label", f.Label)
				w.text("description", f.Description)
				w.key("required")
				w.bool(f.Required)
				w.key("choices")
				w.array(func() {
					for _, c := range f.Choices {
						writeStrings(w, []string{c.Value, c.Label})
					}
				})
				w.key("values")
				writeStrings(w, f.Values)
			})
		}
	})
}

// form reads an array of [name, value, …].
func (r request) form(name string) (form pam.Form) {
	for _, field := range r.rows(name) {
		if len(field) > 0 {
			form = append(form, pam.FormField{Name: field[0], Values: field[1:]})
		}
	}
	return form
}

// result returns the function that writes a text.
func result(text string, err error) (func(*writer), error) {
	if err != nil {
		return nil, err
	}
	return func(w *writer) { w.string(text) }, nil
}
