package topic

// The topics, as Article.Topics has them.
const (
	ExportControl = "export-control"
	Capacity      = "capacity"
	Prices        = "prices"
	Earnings      = "earnings"
	MandA         = "mergers-acquisitions"
	Funding       = "funding"
	Launch        = "product-launch"
	Process       = "process-technology"
	Packaging     = "packaging"
	Memory        = "memory"
	Equipment     = "equipment"
	Materials     = "materials"
	AIChips       = "ai-chips"
	Automotive    = "automotive"
	Policy        = "policy"
	Litigation    = "litigation"
	People        = "people"
)

// rule is what speaks for a topic. Terms are in Simplified Chinese, with the
// words of every region, and in English in lower case.
type rule struct {
	id string
	// strong terms weigh 1, weak ones 0.4.
	strong, weak []string
	// entities are IDs, or beginnings of IDs that end with *; they weigh 0.6.
	entities []string
}

var rules = []rule{
	{
		id: ExportControl,
		strong: []string{
			"出口管制", "出口禁令", "实体清单", "出口限制", "出口许可", "禁运", "断供", "管制清单", "技术封锁", "晶片禁令", "芯片禁令", "未经核实清单", "长臂管辖", "对华禁令",
			"export control", "export controls", "export curbs", "export ban", "export restrictions", "export restriction", "export license", "export licence", "export licenses", "entity list", "blacklist", "blacklisted", "chip ban", "chip curbs",
		},
		weak: []string{
			"制裁", "禁令", "管制", "限制出口", "走私", "许可证", "脱钩", "卡脖子", "解禁", "反制", "sanctions", "sanction", "curbs", "embargo", "smuggling", "export", "restrictions", "national security",
		},
		entities: []string{"org:bis", "org:us-commerce*"},
	},
	{
		id: Capacity,
		strong: []string{
			"扩产", "产能", "建厂", "设厂", "投产", "量产", "产线", "晶圆厂", "新厂", "稼动率", "产能利用率", "动工", "月产能", "厂房", "减产", "停产", "量产线", "封顶", "达产",
			"capacity", "fab", "fabs", "groundbreaking", "ramp up", "mass production", "new plant", "volume production", "utilization rate", "wafer starts", "production line", "production cut",
		},
		weak: []string{"工厂", "园区", "资本支出", "资本开支", "开工", "满载", "万片", "供不应求", "缺货", "短缺", "factory", "plant", "capex", "capital expenditure", "shortage", "wafers per month", "megafab", "foundry", "construction"},
	},
	{
		id: Prices,
		strong: []string{
			"涨价", "降价", "调涨", "报价", "合约价", "现货价", "涨幅", "跌价", "价格战", "议价", "均价", "提价", "价格上涨", "价格下跌", "调价", "调升价格", "代工价",
			"price hike", "price hikes", "price increase", "price increases", "price cut", "price cuts", "contract prices", "contract price", "spot prices", "spot price", "price war", "asp", "raise prices", "average selling price",
		},
		weak: []string{"价格", "涨", "定价", "成本上升", "prices", "price", "pricing", "quotes"},
	},
	{
		id: Earnings,
		strong: []string{
			"财报", "营收", "净利", "净利润", "毛利率", "每股收益", "每股盈余", "业绩", "法说会", "财测", "营业收入", "归母净利", "扣非", "营业利润", "同比增长", "年增", "季增", "月增", "业绩预告", "盈利",
			"earnings", "revenue", "net income", "net profit", "gross margin", "operating profit", "eps", "guidance", "quarterly results", "fiscal quarter", "year-over-year",
		},
		weak: []string{"利润", "亏损", "季度", "展望", "收入", "销售额", "股东", "profit", "loss", "sales", "quarter", "forecast", "outlook"},
	},
	{
		id: MandA,
		strong: []string{
			"收购", "并购", "合并", "要约", "控股权", "收购案", "重组", "资产重组", "股权转让", "买下", "换股", "分拆", "入主",
			"acquisition", "acquisitions", "acquire", "acquires", "acquired", "merger", "takeover", "buyout", "tender offer", "to buy", "spin off", "spinoff", "divestiture",
		},
		weak: []string{"股权", "持股", "交易完成", "入股", "反垄断审查", "stake", "deal", "shareholders"},
	},
	{
		id: Funding,
		strong: []string{
			"融资", "轮融资", "天使轮", "a轮", "b轮", "c轮", "d轮", "战略投资", "领投", "跟投", "ipo", "上市辅导", "募资", "科创板上市", "过会", "招股书", "定增", "估值", "首次公开募股", "挂牌上市",
			"funding", "series a", "series b", "series c", "series d", "venture capital", "raised", "initial public offering", "valuation", "led by", "investors", "convertible notes",
		},
		weak: []string{"创投", "投资人", "基金", "募集", "创业", "资本", "investment", "investor", "startup", "fund", "financing"},
	},
	{
		id: Launch,
		strong: []string{
			"发布会", "推出", "亮相", "新品", "上市开售", "发表会", "首发", "正式发布", "问世", "全新", "开售", "预售",
			"launches", "launched", "launch", "unveils", "unveiled", "introduces", "introduced", "debuts", "debut", "announces availability", "new product", "rolls out",
		},
		weak: []string{"发布", "发表", "新款", "搭载", "旗舰", "规格", "跑分", "性能提升", "features", "available", "flagship", "benchmark", "performance", "specs"},
	},
	{
		id: Process,
		strong: []string{
			"制程", "工艺节点", "先进制程", "先进工艺", "良率", "流片", "试产", "光刻工艺", "晶体管", "电晶体", "背面供电", "工艺技术", "成熟制程", "摩尔定律",
			"process node", "process technology", "yield", "yields", "tape-out", "tape out", "taped out", "transistor", "transistors", "moore's law", "nanosheet", "backside power",
		},
		weak:     []string{"纳米", "奈米", "工艺", "nanometer", "nm process", "node"},
		entities: []string{"node:*", "tech:gaa", "tech:finfet", "tech:cfet", "tech:nanosheet", "tech:backside-power", "tech:powervia", "tech:ribbonfet", "tech:forksheet"},
	},
	{
		id: Packaging,
		strong: []string{
			"先进封装", "封测", "封装", "扇出型", "基板级", "芯粒", "小芯片", "中介层", "混合键合",
			"advanced packaging", "packaging", "chiplet", "chiplets", "interposer", "hybrid bonding", "fan-out", "osat",
		},
		weak:     []string{"键合", "载板", "封装厂", "substrate", "bonding", "test and assembly"},
		entities: []string{"tech:cowos*", "tech:advanced-packaging", "tech:foveros*", "tech:emib*", "tech:soic", "tech:info", "tech:chiplet", "tech:fowlp", "tech:foplp", "tech:copos", "tech:hybrid-bonding", "tech:tsv", "tech:interposer", "org:ase", "org:amkor", "org:jcet"},
	},
	{
		id:       Memory,
		strong:   []string{"存储芯片", "存储器", "内存", "记忆体", "闪存", "快闪记忆体", "高带宽内存", "高频宽记忆体", "dram", "nand", "hbm", "memory chip", "memory chips", "flash memory", "memory maker", "memory makers"},
		weak:     []string{"存储", "颗粒", "固态硬盘", "memory", "ssd", "storage"},
		entities: []string{"tech:hbm*", "tech:dram", "tech:3d-dram", "tech:nand*", "tech:3d-nand", "tech:ddr*", "tech:lpddr*", "tech:gddr*", "tech:nor-flash", "org:sk-hynix", "org:micron", "org:ymtc", "org:cxmt", "org:kioxia", "org:nanya", "org:winbond", "org:sandisk"},
	},
	{
		id: Equipment,
		strong: []string{
			"光刻机", "曝光机", "刻蚀机", "蚀刻机", "刻蚀设备", "半导体设备", "薄膜沉积", "沉积设备", "检测设备", "设备商", "设备厂", "离子注入机", "涂胶显影", "晶圆制造设备",
			"lithography", "lithography machine", "lithography machines", "etcher", "deposition", "wafer fab equipment", "chipmaking equipment", "chipmaking tools", "semiconductor equipment", "equipment maker", "scanner",
		},
		weak:     []string{"设备", "机台", "光刻", "equipment", "tools"},
		entities: []string{"tech:euv*", "tech:duv*", "tech:high-na*", "tech:lithography*", "org:asml", "org:applied-materials", "org:lam-research", "org:tokyo-electron", "org:kla", "org:naura", "org:amec", "org:smee", "org:screen*", "org:nikon", "org:advantest"},
	},
	{
		id: Materials,
		strong: []string{
			"半导体材料", "光刻胶", "光阻", "硅片", "硅晶圆", "矽晶圆", "衬底", "靶材", "前驱体", "电子特气", "稀土", "碳化硅", "氮化镓", "抛光液", "覆铜板", "第三代半导体",
			"photoresist", "silicon wafer", "silicon wafers", "substrates", "rare earth", "rare earths", "silicon carbide", "gallium nitride", "specialty gas", "raw materials", "precursor",
		},
		weak:     []string{"材料", "原材料", "外延", "镓", "锗", "materials", "gallium", "germanium", "neon"},
		entities: []string{"tech:sic*", "tech:gan*", "tech:photoresist", "tech:rare-earths", "tech:gallium", "tech:germanium", "tech:neon", "tech:helium", "org:shin-etsu*", "org:sumco", "org:globalwafers", "org:siltronic", "org:soitec", "org:wolfspeed"},
	},
	{
		id: AIChips,
		strong: []string{
			"ai芯片", "ai晶片", "人工智能芯片", "算力芯片", "加速卡", "ai加速器", "训练芯片", "推理芯片", "算力卡", "ai服务器", "ai伺服器", "智算中心", "国产算力",
			"ai chip", "ai chips", "ai accelerator", "ai accelerators", "ai server", "ai servers", "ai gpu", "ai gpus", "data center gpu", "inference chip", "training chip",
		},
		weak:     []string{"算力", "gpu", "大模型", "数据中心", "资料中心", "人工智能", "data center", "data centers", "accelerator", "gpus", "artificial intelligence"},
		entities: []string{"org:nvidia", "org:cambricon", "org:biren*", "org:moore-threads", "org:cerebras", "org:groq", "product:blackwell*", "product:hopper*", "product:rubin*", "product:h100", "product:h200", "product:h20", "product:gb200*", "product:gb300*", "product:tpu*", "product:trainium*", "product:ascend*", "product:instinct*", "product:mi3*"},
	},
	{
		id: Automotive,
		strong: []string{
			"汽车芯片", "车用芯片", "车规", "车用半导体", "车用晶片", "智能座舱", "自动驾驶", "智驾", "智能驾驶", "电动汽车", "新能源汽车", "电动车", "车企",
			"automotive chip", "automotive chips", "automotive semiconductor", "autonomous driving", "self-driving", "electric vehicle", "electric vehicles", "automaker", "automakers", "carmaker", "carmakers",
		},
		weak:     []string{"汽车", "车用", "车载", "automotive", "cars", "vehicle", "vehicles", "evs"},
		entities: []string{"tech:adas", "tech:lidar", "org:tesla", "org:byd", "org:horizon-robotics", "org:mobileye", "org:bosch", "org:toyota", "org:volkswagen*"},
	},
	{
		id: Policy,
		strong: []string{
			"产业政策", "补贴", "芯片法案", "晶片法案", "关税", "国务院", "大基金", "政策扶持", "税收优惠", "政府补助", "十四五", "十五五", "专项资金", "法案", "白皮书",
			"chips act", "subsidy", "subsidies", "tariff", "tariffs", "industrial policy", "tax credit", "tax credits", "legislation", "lawmakers", "trade war", "executive order",
		},
		weak:     []string{"政策", "政府", "扶持", "国产替代", "自主可控", "总统", "贸易战", "government", "policy", "congress", "white house", "president", "administration", "minister"},
		entities: []string{"org:miit", "org:mofcom", "org:us-commerce*", "org:white-house", "org:big-fund*", "org:meti", "org:ustr"},
	},
	{
		id: Litigation,
		strong: []string{
			"诉讼", "起诉", "专利侵权", "侵权", "判决", "和解", "反垄断", "仲裁", "被告", "原告", "商业秘密", "营业秘密", "罚款", "败诉", "胜诉", "上诉",
			"lawsuit", "lawsuits", "sued", "sues", "patent infringement", "infringement", "antitrust", "trade secrets", "trade secret", "plaintiff", "verdict", "injunction", "indicted", "fined",
		},
		weak:     []string{"法院", "专利", "调查", "律师", "指控", "court", "patent", "patents", "judge", "investigation", "settlement", "alleged"},
		entities: []string{"org:itc", "org:ftc", "org:samr", "org:us-justice"},
	},
	{
		id: People,
		strong: []string{
			"出任", "接任", "卸任", "辞职", "离职", "任命", "跳槽", "挖角", "裁员", "新任", "退休", "逝世", "去世", "履新", "换帅", "人事异动", "接班",
			"appointed", "appoints", "steps down", "stepping down", "stepped down", "resigns", "resigned", "resignation", "layoffs", "laid off", "job cuts", "successor", "named ceo", "joins as", "retires", "passed away",
		},
		weak: []string{"董事会", "人才", "薪酬", "招聘", "高管", "执行长", "首席执行官", "hires", "hired", "talent", "workforce", "board of directors"},
	},
}
