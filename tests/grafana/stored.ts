// A dashboard as its JSON is to be, in the types of Grafana's own package; test_stored_types checks ours by them.
import type {
  AnnotationQuery, AnnotationTarget, Dashboard, DashboardLink, FieldConfig, FieldConfigSource, Panel, RowPanel,
  VariableModel,
} from '@grafana/schema/dist/types/raw/dashboard/x/dashboard_types.gen.d.ts';
import type * as geomap from '@grafana/schema/dist/types/raw/composable/geomap/panelcfg/x/GeomapPanelCfg_types.gen.d.ts';
import type * as stat from '@grafana/schema/dist/types/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen.d.ts';
import type * as states from '@grafana/schema/dist/types/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen.d.ts';
import type * as history from '@grafana/schema/dist/types/raw/composable/statushistory/panelcfg/x/StatusHistoryPanelCfg_types.gen.d.ts';
import type * as table from '@grafana/schema/dist/types/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen.d.ts';
import type * as lines from '@grafana/schema/dist/types/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen.d.ts';

// JSON has the values of enumerations, not their names.
type Written<T> = T extends string ? `${T}`
  : T extends ReadonlyArray<infer One> ? Array<Written<One>>
  : T extends object ? { [Name in keyof T]: Written<T[Name]> }
  : T;

interface SqlQuery {
  refId: string;
  datasource: { type: string; uid: string };
  rawSql: string;
  rawQuery: true;
  editorMode: 'code';
  format: 'table' | 'time_series';
}

// A panel of one shape; of its options and of its fields' what is left out is the default.
type Shaped<Name extends string, Options, Custom = Record<string, never>> =
  Omit<Written<Panel>, 'type' | 'options' | 'fieldConfig' | 'targets'> & {
    type: Name;
    targets: SqlQuery[];
    options?: Partial<Written<Options>>;
    fieldConfig: Omit<Written<FieldConfigSource>, 'defaults'> & {
      defaults: Omit<Written<FieldConfig>, 'custom'> & { custom?: Partial<Written<Custom>> };
    };
  };

// What the SDK writes, and Grafana ignores where its version does not know it or it is not of that type.
type Variable = Written<VariableModel> & {
  auto?: boolean;
  auto_min?: string;
  auto_count?: number;
  definition?: string;
};
type Link = Written<DashboardLink> & { placement?: 'inControlsMenu' };
type TableOptions = table.Options & { footer?: { show: boolean; reducer: string[]; countRows?: boolean } };
type Mark = Omit<Written<AnnotationQuery>, 'target'> & {
  target: SqlQuery | Written<AnnotationTarget>;
  placement?: 'inControlsMenu';
};

export type StoredDashboard = Omit<Written<Dashboard>, 'panels' | 'annotations' | 'templating' | 'links'> & {
  annotations: { list?: Mark[] };
  templating: { list?: Variable[] };
  links: Link[];
  panels: Array<
    | Written<RowPanel>
    | Shaped<'geomap', geomap.Options>
    | Shaped<'stat', stat.Options>
    | Shaped<'state-timeline', states.Options, states.FieldConfig>
    | Shaped<'status-history', history.Options, history.FieldConfig>
    | Shaped<'table', TableOptions, table.FieldConfig>
    | Shaped<'timeseries', lines.Options, lines.FieldConfig>
  >;
};
