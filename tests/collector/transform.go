package main

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"
)

// newTransform takes the place of the transform processor: it passes the records on as they are.
func newTransform() processor.Factory {
	return processor.NewFactory(
		component.MustNewType("transform"),
		func() component.Config { return &config{} },
		processor.WithLogs(func(_ context.Context, _ processor.Settings, _ component.Config, next consumer.Logs) (processor.Logs, error) {
			return unchanged{Logs: next}, nil
		}, component.StabilityLevelDevelopment),
	)
}

type unchanged struct {
	component.StartFunc
	component.ShutdownFunc
	consumer.Logs
}
