// SPDX-License-Identifier: GPL-2.0-or-later

package table

// meaningFields are there only where marks have a meaning: see Meaning.Has.
func meaningFields() []Field {
	user := number("user_id", TypeString, maxU32, meaningAccess(KindU32, (*Meaning).userID, nil),
		"Id of the user, taken from the mark as uid_mask says; 0 for none.")
	user.needs = needsUsers
	return []Field{
		user,
		{Name: "username", Type: TypeString, Filter: true, Sort: true, Listed: true, needs: needsUsers, class: classText,
			access: meaningAccess(KindText, (*Meaning).username, func(m *Meaning) []string { return m.users.sorted() }),
			Help:   "Name of the user, where the id in the mark is that of one."},
		{Name: "authenticated", Type: TypeBool, Filter: true, Sort: true, Listed: true, needs: needsUsers, class: classFlag,
			access: authenticatedAccess(), Help: "The mark has the id of a user in it: user_id is not 0."},
		{Name: "class", Type: TypeString, Filter: true, Sort: true, Listed: true, needs: needsClasses, class: classText,
			access: meaningAccess(KindText, (*Meaning).class, func(m *Meaning) []string { return m.names }),
			Help:   "Traffic class of the mark, as configured; change sets the mark for one."},
	}
}

// meaningAccess reads a field that is made of the mark: a number, or a place in sorted texts.
func meaningAccess(kind ValueKind, of func(m *Meaning, mark uint32) (uint64, bool), texts func(*Meaning) []string) access {
	a := access{
		value: func(s *Snapshot, row int) (Value, bool) {
			if s.meaning == nil || s.has[row]&hasMark == 0 {
				return Value{}, false
			}
			n, ok := of(s.meaning, s.mark[row])
			switch {
			case !ok:
				return Value{}, false
			case texts != nil:
				return Value{Kind: kind, Text: texts(s.meaning)[n]}, true
			}
			return Value{Kind: kind, Num: n}, true
		},
		bind: func(s *Snapshot) Loader {
			if s.meaning == nil {
				return func(b *Block, _, _ int) { b.Has = Mask{} }
			}
			has := s.whatRowsHave()
			return func(b *Block, from, n int) {
				has.load(&b.Has, hasMark, from, n)
				marks := s.mark[from : from+n]
				b.Has.Each(n, func(i int) {
					v, ok := of(s.meaning, marks[i])
					if b.Val[i] = v; !ok {
						b.Has[i/64] &^= 1 << (i & 63)
					}
				})
			}
		},
	}
	if texts != nil {
		a.texts = func(s *Snapshot) []string {
			if s.meaning == nil {
				return nil
			}
			return texts(s.meaning)
		}
	}
	return a
}

// authenticatedAccess is a flag, which every row has.
func authenticatedAccess() access {
	known := func(s *Snapshot) bool { return s.meaning != nil && s.meaning.uidMask != 0 }
	return access{
		value: func(s *Snapshot, row int) (Value, bool) {
			if !known(s) {
				return Value{}, false
			}
			v := Value{Kind: KindBool}
			if s.has[row]&hasMark != 0 && s.mark[row]&s.meaning.uidMask != 0 {
				v.Num = 1
			}
			return v, true
		},
		bind: func(s *Snapshot) Loader {
			if !known(s) {
				return func(b *Block, _, _ int) { b.Has = Mask{} }
			}
			bits := s.meaning.uidMask
			return func(b *Block, from, n int) {
				fillMask(&b.Has, n)
				has := s.has[from : from+n]
				for i, v := range s.mark[from : from+n] {
					b.Val[i&(BlockRows-1)] = isSet(v&bits) & isSet(has[i]&hasMark)
				}
			}
		},
	}
}
