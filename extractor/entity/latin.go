package entity

import (
	"sort"
	"strings"
	"unicode/utf8"

	"xinwen/extractor/entity/pinyin"
	"xinwen/news"
	"xinwen/news/lexicon"
)

func set(words string) map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

var (
	// sentenceWords begin sentences, and no name.
	sentenceWords = set(`the a an in on at of for from to by with as and or but if when while after before since although though however meanwhile
	this that these those it its he she they we i you his her their our my your there here what which who why how where now then also still yet even
	both some many most several such other another each every all any no not only just once last next two three four five
	according despite during under over between among through until because so thus earlier later today yesterday tomorrow asked speaking instead
	is are was were be been has have had will would can could may might must do does did read see get let monday tuesday wednesday thursday friday
	saturday sunday january february march april june july august september october november december`)
	// titleWords stand before a person's name.
	titleWords = set(`ceo cfo cto coo president chairman chairwoman chair chief executive officer director analyst analysts professor prof dr mr mrs ms
	secretary minister senator sen rep representative founder cofounder co-founder manager spokesman spokeswoman spokesperson engineer economist
	judge commissioner governor mayor researcher partner strategist vp boss billionaire scientist premier chancellor congressman attorney
	treasurer sir lord spokesmen captain ambassador general colonel commentator`)
	// noSurname end or begin what is no person, and what may be an organisation of
	// another sort.
	noSurname = set(`new first center centre museum school hospital chambers program project fund team party league congress parliament house court
	street road avenue park city county island river valley act law plan index exchange market summit forum conference show week
	stores brothers sons products services power energy airlines motors foods oil steel game games series edition prize award`)
	// asianSurnames with another capitalised word beside a verb of saying are a
	// person.
	asianSurnames = set(`wang li zhang chen liu yang huang zhao wu zhou xu sun ma zhu hu guo he lin gao luo zheng liang xie song tang han feng deng cao peng zeng xiao
	tian dong pan yuan cai jiang yu du ye cheng wei su lu ding ren shen yao fan fang shi tan jin hsu hsieh tsai chang chiang chou chung hsiao kuo lai liao
	lee chiu chuang yeh tseng teng wong chan cheung leung lam kim park choi jung jeong kang cho yoon jang lim shin han seo kwon hwang ahn ryu
	tanaka sato suzuki takahashi watanabe ito yamamoto nakamura kobayashi kato yoshida yamada sasaki matsumoto nguyen tran pham singh kumar sharma gupta patel`)
	// sayWords stand beside a person's name.
	sayWords = set(`said says told added wrote noted explained argued commented stated warned tweeted testified predicted remarked declared announced
	joined stepped resigned believes thinks`)
	// orgWords end the name of an organisation.
	orgWords = set(`university institute bank group securities technologies semiconductor semiconductors systems capital ventures partners holdings
	international association foundation council ministry commission committee agency department laboratories laboratory electronics telecom
	daily times journal news post tribune insights materials instruments microelectronics microsystems photonics robotics energy investments
	advisors advisers research consulting networks industries pharmaceuticals academy college federation alliance consortium bureau authority
	administration corp inc ltd llc plc gmbh corporation company co limited intelligence labs`)
	// strongOrgWords make one name even of a name in the lexicon before them.
	strongOrgWords = set(`university bank securities capital ventures group institute`)
	// headWords begin the name of an organisation whose rest follows "of".
	headWords = set(`association board federation society chamber university bank ministry department institute bureau academy college council office`)
	// portfolioWords are those of headWords that may be of two things: of Trade and
	// Industry.
	portfolioWords = set(`ministry department bureau institute academy`)
	// groundWords end the names of places and buildings, not of persons.
	groundWords = set(`bridge river county street road avenue temple park island islands lake mountain mountains valley bay port airport station harbor
	tower hall museum stadium square village district province township prefecture forest desert canyon creek beach highway canal dam`)
	particles = set(`of & de del der den dos das du van von da di la le al el bin ibn bint abu ten ter for and`)
	// linking are the particles that no person's name has.
	linking = set(`of & for and`)
	// firstNames are common given names; with a surname behind they are a person.
	firstNames = set(`aaron adam adrian ajay alan albert alex alexander alexandra alice allen amanda amit amy andrea andrew andy angela anil anita ann anna
	anne anthony antonio arjun arthur arun ashley barbara ben benjamin bernard bill bob bobby brad bradley brandon brenda brendan brent brett brian
	bruce bryan carl carlos carol caroline catherine charles charlie charlotte chris christian christina christine christoph christopher cindy claire
	colin craig cynthia dan daniel daniela dave david dean deborah debra dennis derek diana diane dominic don donald donna doug douglas dylan ed eddie
	edward elaine eleanor elena eli elizabeth ellen emily emma eric erik erin ethan eugene eva evan evelyn felix fernando frank fred frederick gabriel
	gary gavin geoff george gerald giovanni glen glenn gordon grace graham greg gregory hannah hans harold harry heather heidi helen henry holly howard
	hugh ian irene isaac ivan jack jacob jake james jamie jan jane janet jared jason jay jean jeff jeffrey jen jennifer jeremy jerome jerry jesse
	jessica jill jim jimmy joan joanna joe joel johan johannes john johnny jon jonathan jordan jorge jose joseph josh joshua juan judith judy julia
	julian julie justin karen karl kate katherine kathleen kathryn katie keith kelly ken kenneth kevin kim kimberly klaus kurt kyle larry laura lauren
	laurence lawrence lee leo leon leonard leslie lewis liam linda lisa liz lloyd lori louis louise lucas lucy luke lynn manuel marc marcus margaret
	maria marie marilyn mario mark markus martin mary mathew matt matthew maurice max megan melissa michael michelle miguel mike mohamed mohammed
	molly morgan nancy naomi nathan neil nicholas nick nicole nigel nina noah norman oliver olivia oscar owen pamela pat patricia patrick paul paula
	pedro peter phil philip philippe phillip pierre priya rachel rahul raj rajesh ralph raymond rebecca renee ricardo richard rick rob robert roberto
	robin rodney roger roland ron ronald rose ross roy russell ruth ryan sally sam samantha samuel sandra sanjay sara sarah scott sean sebastian
	sergey sergio shane shannon sharon sheila simon sophia sophie stacy stan stanley stefan stephanie stephen steve steven stuart sue sunil susan
	suzanne sven sylvia tara ted teresa terry thomas tim timothy todd tom tommy tony tracy travis trevor tyler ursula valerie vanessa victor victoria
	vijay vikram vincent virginia walter warren wayne wendy wesley will william yvonne zachary`)
)

// token is a word of letters in the shadow text.
type token struct {
	start, end int
	upper      bool // begins with a capital
}

// englishNames finds organisations and persons among capitalised words.
func (t *tagging) englishNames() {
	title := strings.IndexByte(t.s, '\n')
	if title > 0 && !t.headline(title) {
		title = 0
	}
	var run []token
	flush := func() {
		if len(run) > 0 {
			t.run(run, run[0].start < title)
		}
		run = run[:0]
	}
	for i := 0; i < len(t.s); {
		c := t.s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(t.s[i:])
			if !wordRune(r) {
				flush()
				i += n
				continue
			}
		}
		if c == '&' && len(run) > 0 && i > 0 && t.s[i-1] == ' ' {
			run = append(run, token{start: i, end: i + 1})
			i++
			continue
		}
		if c < utf8.RuneSelf && (c < 'a' || c > 'z') {
			if c == '.' && len(run) > 0 && run[len(run)-1].end == i {
				l := run[len(run)-1]
				if w := t.s[l.start:l.end]; l.end-l.start == 1 || w == "dr" || w == "mr" || w == "ms" || w == "mrs" || w == "prof" || w == "sen" || w == "rep" || w == "st" {
					i++
					continue
				}
			}
			if c != ' ' || len(run) > 0 && i > run[len(run)-1].end && t.s[i-1] == ' ' {
				flush()
			}
			i++
			continue
		}
		j := i
		for j < len(t.s) {
			r, n := utf8.DecodeRuneInString(t.s[j:])
			if !wordRune(r) && !((r == '-' || r == '\'') && j+1 < len(t.s) && t.s[j+1] >= 'a' && t.s[j+1] <= 'z' && t.s[j+1:min(len(t.s), j+3)] != "s " && !t.possessive(j)) {
				break
			}
			j += n
		}
		k := token{start: i, end: j, upper: t.upper(i)}
		switch {
		case k.upper:
			run = append(run, k)
		case len(run) > 0 && particles[t.s[i:j]]:
			run = append(run, k)
		default:
			flush()
		}
		i = j
	}
	flush()
}

// possessive reports whether 's stands at i.
func (t *tagging) possessive(i int) bool {
	if t.s[i] != '\'' || i+1 >= len(t.s) || t.s[i+1] != 's' {
		return false
	}
	r, n := utf8.DecodeRuneInString(t.s[min(len(t.s), i+2):])
	return n == 0 || !wordRune(r)
}

// headline reports whether most words of the first line are capitalised, which
// then says nothing.
func (t *tagging) headline(end int) bool {
	words, upper, i := 0, 0, 0
	for i < end {
		j := i
		for j < end && t.s[j] >= 'a' && t.s[j] <= 'z' {
			j++
		}
		if j-i > 3 {
			words++
			if t.upper(i) {
				upper++
			}
		}
		i = max(j, i+1)
	}
	return words > 3 && upper*10 >= words*7
}

// run looks for names in a run of capitalised words.
func (t *tagging) run(run []token, headline bool) {
	for len(run) > 0 && (!run[0].upper || sentenceWords[t.s[run[0].start:run[0].end]]) {
		run = run[1:]
	}
	for len(run) > 0 && !run[len(run)-1].upper {
		run = run[:len(run)-1]
	}
	if len(run) == 0 {
		return
	}
	t.organisation(run, headline)
	t.full(run, headline)
}

func (t *tagging) word(k token) string { return t.s[k.start:k.end] }

// organisation takes the words up to the last that ends the name of an
// organisation: Meta Group, Dye & Durham Ltd., University of Oxford.
func (t *tagging) organisation(run []token, headline bool) {
	last := -1
	for i := len(run) - 1; i >= 0 && last < 0; i-- {
		if orgWords[t.word(run[i])] {
			last = i
		}
	}
	if last > 1 && t.word(run[last-1]) == "of" && headWords[t.word(run[last-2])] {
		last -= 2 // Ministry of International Trade
	}
	first := 0
	if last >= 0 {
		// "and", "for" and "of" join what may be two names; "of" goes on after a
		// word such as University alone.
		for i := last - 1; i > 0; i-- {
			if w := t.word(run[i]); w == "and" || w == "for" || w == "of" && !headWords[t.word(run[i-1])] {
				first = i + 1
				break
			}
		}
		if i := last + 1; i+1 < len(run) && t.word(run[i]) == "of" && headWords[t.word(run[last])] && run[i+1].upper {
			last = i + 1
			for n := 0; n < 3 && last+1 < len(run) && run[last+1].upper && !titleWords[t.word(run[last+1])]; n++ {
				last++
			}
			// Ministry of International Trade and Industry
			if last+2 < len(run) && portfolioWords[t.word(run[first])] && t.word(run[last+1]) == "and" && run[last+2].upper && !t.known(run[last+2], news.Org) && !orgWords[t.word(run[last+2])] {
				last += 2
			}
		} else if headWords[t.word(run[last])] && first == last {
			return
		}
	}
	if last <= first {
		return
	}
	for first < last && (titleWords[t.word(run[first])] || sentenceWords[t.word(run[first])]) {
		first++
	}
	start, end := run[first].start, run[last].end
	word := t.word(run[last])
	legal := false
	for _, l := range legalLatin {
		legal = legal || l == word
	}
	if (headline || t.allCapitals(start, end)) && !legal || last == first || last-first > 6 {
		return
	}
	if legal && end < len(t.s) && t.s[end] == '.' && len(word) < 6 {
		end++
	} else if e := t.legalEndLatin(end); e > 0 {
		end, legal = e, true
	}
	if !legal && !t.distinct(run[first:last+1]) {
		return
	}
	for k := t.at(start); k < len(t.list) && t.list[k].start < end; k++ {
		f := &t.list[k]
		switch {
		case f.start < start || f.end > end:
			return
		case f.kind == news.Org && !strongOrgWords[word] && !(legal && f.start > start):
			return // the lexicon knows better
		case f.kind == news.Org && f.end == end:
			return
		case f.kind != news.Org && f.kind != news.Place:
			return
		}
	}
	score := scoreWord
	if legal {
		score = scoreLegal
	}
	f := t.unknown(news.Org, start, end, score)
	if t.add(f) {
		t.learn(t.s[start:end], f)
		if legal {
			if own := strings.TrimRight(t.s[start:run[last].start], " ,"); strings.Contains(own, " ") {
				t.learn(own, f)
			}
		}
	}
}

// distinct reports whether words have one that is neither a place nor a word
// that organisations end with: U.S. semiconductors are none.
func (t *tagging) distinct(words []token) bool {
	for _, k := range words {
		w := t.word(k)
		if w == "of" || len(w) > 1 && k.upper && !orgWords[w] && !t.known(k, news.Place) {
			return true
		}
	}
	return false
}

// known reports whether a word is a name of a kind.
func (t *tagging) known(k token, kind news.Kind) bool {
	i := t.at(k.start)
	return i < len(t.list) && t.list[i].start <= k.start && t.list[i].kind == kind
}

// full takes the name and surname of a person: behind a title, beside a verb of
// saying, or where the first is a given name.
func (t *tagging) full(run []token, headline bool) {
	for i := 0; i+1 < len(run); i++ {
		if !t.nameWord(run[i]) {
			continue
		}
		j := t.nameEnd(run, i)
		if j-i < 2 || run[j-1].end-run[j-1].start < 2 {
			continue
		}
		start, end := run[i].start, run[j-1].end
		first := t.word(run[i])
		if t.allCapitals(start, end) || groundWords[t.word(run[j-1])] {
			continue
		}
		cue := firstNames[first] && (!headline || j == len(run))
		if !cue && i > 0 && titleWords[t.word(run[i-1])] {
			cue = true
		}
		if !cue && i == 0 && !headline {
			before := t.wordBefore(start)
			cue = titleWords[before] || sayWords[before] && (asianSurnames[first] || asianSurnames[t.word(run[j-1])] || t.roleAfter(end))
		}
		if !cue && j == len(run) && !headline {
			cue = sayWords[t.wordAfter(end)] && (asianSurnames[first] || asianSurnames[t.word(run[j-1])]) || t.roleAfter(end)
		}
		if cue && t.free(start, end) {
			f := t.unknown(news.Person, start, end, scoreCue)
			if t.add(f) {
				t.learn(t.s[start:end], f)
			}
		}
		i = j - 1
	}
}

// nameEnd returns where the name of a person that begins with run[i] ends: up to
// four words with a capital, and up to two particles before each, as in Abdul
// Rahman bin Fahd Al-Saadi.
func (t *tagging) nameEnd(run []token, i int) int {
	end := i + 1
	for words := 1; words < 4; words++ {
		j := end
		for j < len(run) && j < end+2 && !run[j].upper && !linking[t.word(run[j])] {
			j++
		}
		if j == len(run) || !t.nameWord(run[j]) {
			break
		}
		end = j + 1
	}
	return end
}

// nameWord reports whether a word may be part of a person's name.
func (t *tagging) nameWord(k token) bool {
	w := t.word(k)
	if !k.upper || sentenceWords[w] || noSurname[w] || titleWords[w] || orgWords[w] || sayWords[w] || strings.ContainsAny(w, "0123456789_") || !t.free(k.start, k.end) {
		return false
	}
	// A word all in capitals is an abbreviation, but for an initial.
	if k.end-k.start == 1 {
		return true
	}
	for i := k.start + 1; i < k.end; i++ {
		if t.upper(i) && t.s[i-1] != '-' && t.s[i-1] != '\'' && t.s[k.start:min(k.end, k.start+2)] != "mc" {
			return false // FactCheck
		}
	}
	return true
}

func (t *tagging) wordBefore(i int) string {
	s := strings.TrimRight(t.s[:i], " ,")
	k := len(s)
	for k > 0 && s[k-1] >= 'a' && s[k-1] <= 'z' {
		k--
	}
	return s[k:]
}

func (t *tagging) wordAfter(i int) string {
	s := strings.TrimLeft(t.s[i:min(len(t.s), i+40)], " ")
	k := 0
	for k < len(s) && s[k] >= 'a' && s[k] <= 'z' {
		k++
	}
	return s[:k]
}

// roleAfter reports whether a comma and a role follow: , an analyst with; 表示.
func (t *tagging) roleAfter(i int) bool {
	if prefixOf(t.s[i:], speaking) > 0 {
		return true
	}
	if i >= len(t.s) || t.s[i] != ',' {
		return false
	}
	rest := t.s[i+1 : min(len(t.s), i+60)]
	if k := strings.IndexAny(rest, ".;,\n"); k >= 0 {
		rest = rest[:k]
	}
	for _, w := range strings.Fields(rest) {
		if titleWords[w] {
			return true
		}
	}
	return false
}

// unite makes one of two names that an article gives together, one of which the
// lexicon does not have: 陈岩（Chen Yan）. The English one names both.
func (t *tagging) unite(a, b found) {
	isNew := func(f found) bool { return strings.Contains(f.entity, ":unknown-") }
	if a.entity == b.entity || hasHan(t.s[a.start:a.end]) == hasHan(t.s[b.start:b.end]) || !isNew(a) && !isNew(b) {
		return
	}
	if !hasHan(t.s[a.start:a.end]) {
		a, b = b, a // a is the Chinese one
	}
	to := a
	if isNew(a) && !isNew(b) {
		to = b
	} else if isNew(a) {
		to.name = b.name
	}
	for i := range t.list {
		if f := &t.list[i]; f.entity == a.entity || f.entity == b.entity {
			f.entity, f.name = to.entity, to.name
		}
	}
	for i := range t.forms {
		if f := &t.forms[i].of; f.entity == a.entity || f.entity == b.entity {
			f.entity, f.name = to.entity, to.name
		}
	}
}

// spellings unites unknown persons of whom the article has both the Chinese name
// and its spelling.
func (t *tagging) spellings() {
	chinese := make(map[string]found)
	for _, f := range t.list {
		if f.kind == news.Person && strings.Contains(f.entity, ":unknown-") && hasHan(t.s[f.start:f.end]) {
			for _, taiwan := range [...]bool{false, true} {
				if n := pinyin.Name(t.s[f.start:f.end], taiwan); n != "" {
					chinese[lexicon.Key(n)] = f
				}
			}
		}
	}
	if len(chinese) == 0 {
		return
	}
	for i := range t.list {
		f := t.list[i]
		if f.kind != news.Person || hasHan(t.s[f.start:f.end]) {
			continue
		}
		given, family, _ := strings.Cut(t.s[f.start:f.end], " ")
		for _, n := range [...]string{given + family, family + given} {
			if c, ok := chinese[lexicon.Key(n)]; ok {
				t.unite(c, f)
				break
			}
		}
	}
}

// pairs learns from a name in brackets behind another: 台积电(TSMC).
func (t *tagging) pairs() {
	t.each("(", func(i int) {
		j := strings.IndexByte(t.s[i:min(len(t.s), i+64)], ')')
		if j < 3 {
			return
		}
		start, end := i+1, i+j
		before := i
		for before > 0 && t.s[before-1] == ' ' {
			before--
		}
		k := sort.Search(len(t.list), func(k int) bool { return t.list[k].end >= before })
		if k == len(t.list) || t.list[k].end != before || t.list[k].kind != news.Org && t.list[k].kind != news.Person {
			return
		}
		outer := t.list[k]
		inner, name := t.s[start:end], t.s[outer.start:outer.end]
		if k+1 < len(t.list) && t.list[k+1].start == start && t.list[k+1].end == end && t.list[k+1].kind == outer.kind {
			t.unite(outer, t.list[k+1])
			return
		}
		if !t.free(start, end) || ticker(inner) {
			return
		}
		if !hasHan(inner) && !hasHan(name) && len(inner) > 2 && t.allCapitals(start, end) && inner == t.initials(outer) {
			f := outer
			f.start, f.end, f.score = start, end, min(outer.score, 0.8)
			if t.add(f) {
				t.learn(inner, f)
			}
			return
		}
		if hasHan(inner) == hasHan(name) {
			return
		}
		if hasHan(inner) {
			if n := utf8.RuneCountInString(inner); n < 2 || n > 8 || strings.ContainsAny(inner, " ,0123456789") || prefixOf(inner, stops) > 0 {
				return
			}
			for _, r := range inner {
				if wordRune(r) || strings.ContainsRune("的,、。;：:", r) {
					return
				}
			}
		} else {
			words := strings.Fields(inner)
			if len(words) > 5 || !t.upper(start) || strings.ContainsAny(inner, ",;:/") || len(words) == 1 && len(inner) < 4 {
				return
			}
			if len(words) == 1 && outer.kind == news.Org && t.allCapitals(start, end) {
				return // a ticker, most likely
			}
			if titleWords[words[0]] || outer.kind == news.Person && len(words) < 2 {
				return
			}
		}
		f := outer
		f.start, f.end, f.score = start, end, min(outer.score, 0.8)
		if t.add(f) {
			t.learn(inner, f)
		}
	})
}

// initials returns the first letters of the capitalised words of a name.
func (t *tagging) initials(f found) string {
	var b strings.Builder
	for i := f.start; i < f.end; i++ {
		if c := t.s[i]; c >= 'a' && c <= 'z' && (i == f.start || t.s[i-1] == ' ' || t.s[i-1] == '-') && t.upper(i) {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func (t *tagging) allCapitals(start, end int) bool {
	for i := start; i < end; i++ {
		if c := t.s[i]; c >= 'a' && c <= 'z' && !t.upper(i) {
			return false
		}
	}
	return true
}
