"""What people say to an assistant that is no question about its documents, and the right short reply."""

GREETING = "Hello! What would you like to know?"
THANKS = "You are welcome."
FAREWELL = "Goodbye!"
WHO = "I answer questions from the documentation, and name my sources."
WELL = "I am well, thank you. What would you like to know?"

# A reply, with the frames that it answers.
SMALL_TALK: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        GREETING,
        (
            "[Hi|Hello|Hey|Hallo|Yo][!|.|]",
            "[Good morning|Good evening|Good afternoon][!|]",
            "[Hi|Hello] there[!|]",
            "[Hi|Hello|Hey], [can|could] you help me?",
            "[Hello|Hey|Hi], anyone there?",
            "[Hi|Hello], I have a question[.|]",
            "[Greetings|Hiya|Howdy][!|]",
            "[Hi|Hey] bot[!|]",
            "[Hello|Hi] assistant[!|.|]",
            "[hey|hi] [you|again]",
        ),
    ),
    (
        THANKS,
        (
            "[Thanks|Thank you|Thx|Many thanks][!|.|]",
            "[Thanks|Thank you], that [helped|helps|was it|was helpful][!|.|]",
            "[Great|Perfect|Nice|Cool|Super], thanks[!|]",
            "[ok|okay|alright] [thanks|thank you|thx]",
            "[That's|That is] [very|] helpful, [thanks|thank you][!|]",
            "[Thank you|Thanks] [so much|a lot|very much][!|]",
            "[Cheers|Ta|Much appreciated][!|]",
            "[Got it|I see|Understood], [thanks|thank you]",
            "[Perfect|Awesome|Excellent], that's what I needed[!|]",
            "[thanks|thank you] [for|] [your help|helping]",
        ),
    ),
    (
        FAREWELL,
        (
            "[Bye|Goodbye|Bye bye][!|.|]",
            "[See you|See you later|See ya][!|]",
            "[That's all|That was all], bye[!|]",
            "[Good night|Have a nice day][!|]",
            "[I'm done|Done for today], [bye|goodbye|see you]",
        ),
    ),
    (
        WHO,
        (
            "[Who|What] are you?",
            "What can you do[ for me|]?",
            "What [do|can] you [know|answer|help with]?",
            "[What can I|What may I] ask you?",
            "Are you [a bot|a human|an AI|a robot]?",
            "What is this[ thing|]?",
            "[How|What] do I [ask|use] [you|this]?",
            "What's your [name|job|purpose]?",
            "[Introduce|Explain] yourself",
            "[Where|How] do you get your answers[ from|]?",
        ),
    ),
    (
        WELL,
        (
            "How are you[ doing|]?",
            "How's it going?",
            "[How do you do|How is your day]?",
            "[Hi|Hey|Hello], how are you?",
            "What's up?",
        ),
    ),
)
OFF_TOPIC = (
    "What is the capital of [France|Peru|Japan|Kenya|Canada]?",
    "[Who|Which team] won the [world cup|last election|marathon]?",
    "[Will it rain|What's the weather] [today|tomorrow][ in [Berlin|Paris|Oslo]|]?",
    "[Tell me|Do you know] a [joke|story|riddle][?|]",
    "[Write|Compose] a [poem|song|letter|haiku] about [the sea|spring|my cat|autumn]",
    "[How old|How tall] is [the president|Mount Everest|the Eiffel tower]?",
    "What is [17 times 23|the square root of 2|12 plus 30]?",
    "[Recommend|Suggest] [a book|a film|a restaurant|some music]",
    "[Translate|Say] [good morning|thank you|I am hungry] [in|into] [German|Spanish|French]",
    "What's the best [laptop|phone|pizza|car] [to buy|in town]?",
    "How do I [bake bread|tie a tie|lose weight|learn to swim]?",
    "Who [wrote|painted] [Hamlet|the Mona Lisa|War and Peace]?",
    "What is the meaning of life?",
    "[Can|Could] you [order|book] [me|] a [taxi|flight|table]?",
    "[What time|What day] is it[ now|]?",
    "What is the default [dpi|figsize|cmap] [of|in] matplotlib[ savefig| imshow|]?",
    "How do I [make a plot|draw a histogram] [with|in] [matplotlib|seaborn|plotly]?",
    "What [is the default timeout|does verify do] in requests.get?",
    "Which [optimizer|learning rate] does [keras|tensorflow|pytorch] use by default?",
    "How do I [install|update] [docker|node|ruby|java]?",
    "What does git [rebase|stash|bisect] do?",
    "How do I [centre a div|style a button] in CSS?",
    "What does SELECT DISTINCT do in SQL?",
    "[Is|Was] [Python|Rust|Java] better than [Go|C++|Julia]?",
    "What do you think [of|about] [politics|football|me|cats]?",
    "How much [does a house|does a car] cost?",
    "When was [the telephone|the wheel|penicillin] invented?",
    "[Sing|Hum] something[ for me|]",
    "What is the [population|area] of [India|Brazil|Norway]?",
    "[Give me|I need] [legal|medical|financial] advice",
    "asdf [qwer|jkl|zxcv]",
    "[Wie wird das Wetter|Was ist die Hauptstadt von Frankreich]?",
    "How do I [write a for loop|read a file] in [Perl|PHP|Kotlin]?",
    "Which vitamins are in [oranges|carrots|milk]?",
    "[Who is|Do you know] [Napoleon|Einstein|my neighbour]?",
    "What should I [eat|cook|wear] [today|tonight]?",
    "[Solve|Do] my homework",
    "What is the [price|stock price] of [gold|oil|bitcoin]?",
    "[Explain|What is] [quantum physics|photosynthesis|inflation][?|]",
    "How far is [the moon|Mars|Rome]?",
)
