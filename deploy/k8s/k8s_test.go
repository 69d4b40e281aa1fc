package k8s

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// kinds makes an empty object of each kind that is used.
var kinds = map[string]func() metav1.Object{
	"v1/Namespace":                           func() metav1.Object { return &corev1.Namespace{} },
	"v1/ConfigMap":                           func() metav1.Object { return &corev1.ConfigMap{} },
	"v1/Service":                             func() metav1.Object { return &corev1.Service{} },
	"apps/v1/Deployment":                     func() metav1.Object { return &appsv1.Deployment{} },
	"apps/v1/StatefulSet":                    func() metav1.Object { return &appsv1.StatefulSet{} },
	"policy/v1/PodDisruptionBudget":          func() metav1.Object { return &policyv1.PodDisruptionBudget{} },
	"autoscaling/v2/HorizontalPodAutoscaler": func() metav1.Object { return &autoscalingv2.HorizontalPodAutoscaler{} },
	"networking.k8s.io/v1/NetworkPolicy":     func() metav1.Object { return &networkingv1.NetworkPolicy{} },
}

// objects decodes every manifest that kustomization.yaml names. Fields that its
// kind does not have are errors.
func objects(t *testing.T) []metav1.Object {
	t.Helper()
	data, err := os.ReadFile("kustomization.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var k struct {
		Resources []string `json:"resources"`
	}
	if err := yaml.Unmarshal(data, &k); err != nil {
		t.Fatal(err)
	}
	var all []metav1.Object
	for _, name := range k.Resources {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		r := utilyaml.NewDocumentDecoder(io.NopCloser(bytes.NewReader(data)))
		buf := make([]byte, len(data)+1)
		for {
			n, err := r.Read(buf)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			var kind metav1.TypeMeta
			if err := yaml.Unmarshal(buf[:n], &kind); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			make := kinds[kind.APIVersion+"/"+kind.Kind]
			if make == nil {
				t.Fatalf("%s: kind %s of %s is not known to this test", name, kind.Kind, kind.APIVersion)
			}
			o := make()
			if err := yaml.UnmarshalStrict(buf[:n], o); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			all = append(all, o)
		}
	}
	return all
}

// workload is what runs pods.
type workload struct {
	name     string
	selector *metav1.LabelSelector
	pod      corev1.PodTemplateSpec
	claims   []corev1.PersistentVolumeClaim
}

func workloads(all []metav1.Object) []workload {
	var list []workload
	for _, o := range all {
		switch o := o.(type) {
		case *appsv1.Deployment:
			list = append(list, workload{o.Name, o.Spec.Selector, o.Spec.Template, nil})
		case *appsv1.StatefulSet:
			list = append(list, workload{o.Name, o.Spec.Selector, o.Spec.Template, o.Spec.VolumeClaimTemplates})
		}
	}
	return list
}

func selects(t *testing.T, s *metav1.LabelSelector, w workload) bool {
	t.Helper()
	selector, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		t.Fatal(err)
	}
	return selector.Matches(labels.Set(w.pod.Labels))
}

func TestPodsAreConfinedAndProbed(t *testing.T) {
	all := objects(t)
	configs := make(map[string]bool)
	for _, o := range all {
		if c, ok := o.(*corev1.ConfigMap); ok {
			configs[c.Name] = true
		}
	}
	list := workloads(all)
	if len(list) != 5 {
		t.Errorf("got %d workloads, want NATS and four services", len(list))
	}
	for _, w := range list {
		if !selects(t, w.selector, w) {
			t.Errorf("%s: its selector does not match its pods", w.name)
		}
		spec := w.pod.Spec
		if s := spec.SecurityContext; s == nil || s.RunAsNonRoot == nil || !*s.RunAsNonRoot || s.SeccompProfile == nil {
			t.Errorf("%s: pods may run as root", w.name)
		}
		if spec.AutomountServiceAccountToken == nil || *spec.AutomountServiceAccountToken {
			t.Errorf("%s: pods get a token of the cluster", w.name)
		}
		volumes := make(map[string]bool)
		for _, v := range spec.Volumes {
			volumes[v.Name] = true
			if v.ConfigMap != nil && !configs[v.ConfigMap.Name] {
				t.Errorf("%s: there is no ConfigMap %s", w.name, v.ConfigMap.Name)
			}
		}
		for _, c := range w.claims {
			volumes[c.Name] = true
		}
		for _, c := range spec.Containers {
			s := c.SecurityContext
			if s == nil || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem ||
				s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation ||
				s.Capabilities == nil || !slices.Equal(s.Capabilities.Drop, []corev1.Capability{"ALL"}) {
				t.Errorf("%s: container %s is not confined", w.name, c.Name)
			}
			if c.Resources.Requests.Cpu().IsZero() || c.Resources.Requests.Memory().IsZero() || c.Resources.Limits.Memory().IsZero() {
				t.Errorf("%s: container %s has no requests or no limit of memory", w.name, c.Name)
			}
			ports := make(map[string]bool)
			for _, p := range c.Ports {
				ports[p.Name] = true
			}
			for kind, p := range map[string]*corev1.Probe{"startup": c.StartupProbe, "liveness": c.LivenessProbe, "readiness": c.ReadinessProbe} {
				if p == nil || p.HTTPGet == nil || !ports[p.HTTPGet.Port.String()] {
					t.Errorf("%s: container %s has no %s probe to a port of its own", w.name, c.Name, kind)
				}
			}
			for _, m := range c.VolumeMounts {
				if !volumes[m.Name] {
					t.Errorf("%s: there is no volume %s", w.name, m.Name)
				}
			}
			for _, e := range c.EnvFrom {
				if e.ConfigMapRef != nil && !configs[e.ConfigMapRef.Name] {
					t.Errorf("%s: there is no ConfigMap %s", w.name, e.ConfigMapRef.Name)
				}
			}
		}
	}
}

func TestWhatRefersToPodsFindsThem(t *testing.T) {
	all := objects(t)
	list := workloads(all)
	find := func(what string, s *metav1.LabelSelector) []workload {
		var found []workload
		for _, w := range list {
			if selects(t, s, w) {
				found = append(found, w)
			}
		}
		if len(found) == 0 {
			t.Errorf("%s selects no pods", what)
		}
		return found
	}
	hasPort := func(what string, w workload, port intstr.IntOrString) {
		for _, c := range w.pod.Spec.Containers {
			for _, p := range c.Ports {
				if p.Name == port.String() {
					return
				}
			}
		}
		t.Errorf("%s: %s has no port %s", what, w.name, port.String())
	}
	budgets, policies := make(map[string]bool), make(map[string]bool)
	for _, o := range all {
		what := o.GetName()
		switch o := o.(type) {
		case *corev1.Service:
			for _, w := range find("service "+what, &metav1.LabelSelector{MatchLabels: o.Spec.Selector}) {
				for _, p := range o.Spec.Ports {
					hasPort("service "+what, w, p.TargetPort)
				}
			}
		case *policyv1.PodDisruptionBudget:
			for _, w := range find("budget "+what, o.Spec.Selector) {
				budgets[w.name] = true
			}
		case *networkingv1.NetworkPolicy:
			if len(o.Spec.PodSelector.MatchLabels) == 0 {
				continue // of all
			}
			for _, w := range find("policy "+what, &o.Spec.PodSelector) {
				policies[w.name] = true
				for _, in := range o.Spec.Ingress {
					for _, p := range in.Ports {
						hasPort("policy "+what, w, *p.Port)
					}
				}
			}
		case *autoscalingv2.HorizontalPodAutoscaler:
			if !slices.ContainsFunc(list, func(w workload) bool { return w.name == o.Spec.ScaleTargetRef.Name }) {
				t.Errorf("autoscaler %s scales nothing", what)
			}
		case *appsv1.StatefulSet:
			if !slices.ContainsFunc(all, func(s metav1.Object) bool {
				_, ok := s.(*corev1.Service)
				return ok && s.GetName() == o.Spec.ServiceName
			}) {
				t.Errorf("there is no service %s", o.Spec.ServiceName)
			}
		}
	}
	for _, w := range list {
		if !budgets[w.name] || !policies[w.name] {
			t.Errorf("%s: budget %v, network policy %v, want both", w.name, budgets[w.name], policies[w.name])
		}
	}
}
