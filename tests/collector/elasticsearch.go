package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"
)

// config takes any setting: those of the real exporter and processor are not tested here.
type config struct {
	Settings map[string]any `mapstructure:",remain"`
}

// newElasticsearch takes the place of the exporter: it prints the body of each log record.
func newElasticsearch() exporter.Factory {
	return exporter.NewFactory(
		component.MustNewType("elasticsearch"),
		func() component.Config { return &config{} },
		exporter.WithLogs(func(context.Context, exporter.Settings, component.Config) (exporter.Logs, error) {
			return printer{}, nil
		}, component.StabilityLevelDevelopment),
	)
}

type printer struct {
	component.StartFunc
	component.ShutdownFunc
}

func (printer) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (printer) ConsumeLogs(_ context.Context, logs plog.Logs) error {
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				line, err := json.Marshal(record.Body().AsRaw())
				if err != nil {
					return err
				}
				fmt.Fprintln(os.Stdout, string(line))
			}
		}
	}
	return nil
}
